"""Whether what is sent, and what workers gain, is as SqueezeNet's authors say."""

from __future__ import annotations

import itertools

import numpy as np

from experiments.report import scaling
from experiments.report.claims import DECIDED, verdict
from experiments.report.resampling import DRAWS
from experiments.trials.exchanges import elements

# Of what is counted, by which what was measured may be off.
TOLERANCE = 0.05


def claims(measured: scaling.Measurements) -> list[str]:
    """The claim of SqueezeNet's introduction, in two parts, and whether they hold."""
    plain = {name: each for (name, way), each in measured.items() if way == "float32"}
    if len(plain) < 2:
        return []
    parameters = [
        each.two.loopback_bytes / (8 * elements(each.shapes)) for each in plain.values()
    ]
    return [
        _of_bytes(
            "what is sent is proportional to the number of parameters",
            parameters,
            "of the bytes that follow from it, with gradients in float32",
        ),
        _of_bytes(
            "all exchanges send what is counted",
            [each.byte_ratio for each in measured.values()],
            "of it",
        ),
        *_of_speedups(plain),
    ]


def _of_bytes(statement, ratios, what):
    most = max(abs(ratio - 1) for ratio in ratios)
    return _sentence(
        f"{statement}, within {100 * TOLERANCE:.0f} %,",
        "holds" if most <= TOLERANCE else "does not hold",
        f"measured are {min(ratios):.3f} to {max(ratios):.3f} {what}",
    )


def _of_speedups(plain):
    """Whether fewer parameters gain more, for each speed and bandwidth."""
    by_size = sorted(plain, key=lambda name: elements(plain[name].shapes))
    pairs = list(itertools.combinations(by_size, 2))
    draws, workers = _resampled(plain), scaling.WORKERS[-1]
    for speed, gigabits in itertools.product(scaling.SPEEDS, scaling.GIGABITS):
        setting = (workers, gigabits, speed)
        gains = {name: each.speedup(*setting) for name, each in plain.items()}
        drawn = {name: plain[name].speedup(*setting, draws[name]) for name in plain}
        held = np.array([drawn[a] >= drawn[b] for a, b in pairs])
        wrong = [
            f"{b} above {a}{_unless_decided(1 - share)}"
            for (a, b), share in zip(pairs, held.mean(1), strict=True)
            if gains[a] < gains[b]
        ]
        reason = f"it does in {len(pairs) - len(wrong)} of {len(pairs)} pairs"
        if wrong:
            reason += f", not for {', '.join(wrong)}"
        yield _sentence(
            f"the network with fewer parameters gains more from {workers} workers at "
            f"{gigabits} Gbit/s, {scaling.SPEEDS[speed]},",
            verdict(not wrong, held.all(0).mean()),
            reason,
        )


def _resampled(plain):
    """By network the draws that `speedup` takes: medians of resampled measurements."""
    generator = np.random.default_rng(0)

    def medians(values):
        return np.median(generator.choice(values, (DRAWS, len(values))), axis=1)

    latency = medians(next(iter(plain.values())).loopback.latencies)
    steps = {
        name: medians(scaling.all_seconds(each.plain)) for name, each in plain.items()
    }
    return {name: (own, own, latency) for name, own in steps.items()}


def _unless_decided(share):
    return "" if share >= DECIDED else f" (in {100 * share:.0f} % of resamples)"


def _sentence(statement, said, reason):
    mark = ";" if ":" in said else ":"
    return f"The claim that {statement} {said}{mark} {reason}."
