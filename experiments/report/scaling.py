"""What data-parallel workers gain, from measured steps and a model of the network."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments.report import drawing
from experiments.report.sheet import Sheet
from experiments.trials import step_times
from experiments.trials.exchanges import EXCHANGES, elements
from experiments.trials.step_times import StepTime
from mobilenet_tf.analysis import table

GIGABITS = (1, 10, 100)
WORKERS = (2, 4, 8, 16, 32, 64)
# A worker as measured, and one with an accelerator; how fast that is, is assumed.
SPEEDS = {1: "as measured", 100: "100 times as fast"}
# Of what is counted, by which what was measured may be off.
TOLERANCE = 0.05
_COLOURS = ("#0072B2", "#56B4E9", "#009E73", "#D55E00", "#E69F00", "#CC79A7")
_MARKERS = "oDs^vP"


@dataclasses.dataclass(frozen=True)
class Measured:
    """A network with one exchange, at one worker and at two.

    Attributes:
        plain: The step of one worker without an exchange (float32 sends nothing there).
        one: That of one worker, with the work of the exchange.
        two: That of two workers.
    """

    plain: StepTime
    one: StepTime
    two: StepTime

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Of the gradients."""
        return [tuple(shape) for shape in self.one.shapes]

    @property
    def counted_bytes(self) -> float:
        """What two workers together send in a step."""
        return 2 * EXCHANGES[self.one.exchange].bytes_per_worker(self.shapes, 2)

    def speedup(self, workers: int, gigabits: float, speed: float = 1) -> float:
        """Images per second of so many workers over those of one.

        Each keeps its batch. Nothing is sent while it computes.

        Args:
            workers: Number of workers, in a ring.
            gigabits: Per second that each can send, and receive at the same time.
            speed: How many times as fast as measured a worker computes.
        """
        way = EXCHANGES[self.one.exchange]
        sending = way.bytes_per_worker(self.shapes, workers) / (gigabits * 1e9 / 8)
        # Two messages one after the other made the measured latency.
        waiting = way.rounds * (workers - 1) * self.two.latency_seconds
        computing = self.one.seconds / speed
        return workers * self.plain.seconds / speed / (computing + sending + waiting)


def of(steps: Sequence[StepTime]) -> dict[tuple[str, str], Measured]:
    """By network and exchange, those that are measured at one worker and at two."""
    by_key = {(step.network, step.exchange, step.workers): step for step in steps}
    result = {}
    for network, exchange in dict.fromkeys((s.network, s.exchange) for s in steps):
        keys = [(network, "float32", 1), (network, exchange, 1), (network, exchange, 2)]
        if all(key in by_key for key in keys):
            result[network, exchange] = Measured(*(by_key[key] for key in keys))
    return result


Measurements = Mapping[tuple[str, str], Measured]


def bytes_sheet(measured: Measurements) -> Sheet:
    """Bytes that two workers send in a step: counted, and on the loopback interface."""
    rows = []
    for network, exchange in itertools.product(step_times.NETWORKS, EXCHANGES):
        each = measured.get((network, exchange))
        shapes = each.shapes if each else step_times.shapes_of(network)
        counted = 2 * EXCHANGES[exchange].bytes_per_worker(shapes, 2)
        sent = each.two.loopback_bytes if each else None
        rows.append(
            (
                network,
                table.millions(elements(shapes)),
                EXCHANGES[exchange].label,
                f"{counted / 1e6:,.2f}",
                "–" if sent is None else f"{sent / 1e6:,.2f}",
                "–" if sent is None else f"{sent / counted:.3f}",
            )
        )
    columns = ("Network", "M parameters", "Exchange", "Counted MB", "Measured MB")
    return Sheet((*columns, "Ratio"), rows, "bytes")


def times_sheet(measured: Measurements) -> Sheet:
    """Seconds of a step at one worker and at two, and the load of the machine."""
    rows = [
        (
            network,
            EXCHANGES[exchange].label,
            each.one.batch,
            f"{each.one.seconds:.3f}",
            f"{each.two.seconds:.3f}",
            f"{2 * each.plain.seconds / each.two.seconds:.2f}",
            f"{each.two.latency_seconds * 1e3:.2f}",
            f"{max(each.one.load, each.two.load):.1f}",
        )
        for (network, exchange), each in measured.items()
    ]
    columns = ("Network", "Exchange", "Images of a worker", "1 worker s", "2 workers s")
    return Sheet((*columns, "Speed-up", "Latency ms", "Load"), rows, "steps")


def speedup_sheet(measured: Measurements, workers: int = WORKERS[-1]) -> Sheet:
    """Speed-up of so many workers at every bandwidth."""
    settings = list(itertools.product(SPEEDS, GIGABITS))
    rows = [
        (
            network,
            EXCHANGES[exchange].label,
            *(f"{each.speedup(workers, g, speed):.1f}" for speed, g in settings),
        )
        for (network, exchange), each in measured.items()
    ]
    columns = [f"{g} Gbit/s, {SPEEDS[speed]}" for speed, g in settings]
    return Sheet(("Network", "Exchange", *columns), rows, "speedup")


def claims(measured: Measurements) -> list[str]:
    """The claim of SqueezeNet's introduction, in two parts, and whether they hold."""
    plain = {name: each for (name, way), each in measured.items() if way == "float32"}
    if len(plain) < 2:
        return []
    ratios = [each.two.loopback_bytes / each.counted_bytes for each in plain.values()]
    sentences = [
        _sentence(
            "what is sent is proportional to the number of parameters",
            max(ratios) - 1 <= TOLERANCE and 1 - min(ratios) <= TOLERANCE,
            f"measured are {min(ratios):.2f} to {max(ratios):.2f} of the bytes that "
            "follow from it",
        )
    ]
    by_size = sorted(plain, key=lambda name: elements(plain[name].shapes))
    pairs = list(itertools.combinations(by_size, 2))
    for speed, gigabits in itertools.product(SPEEDS, GIGABITS):
        gains = {
            name: plain[name].speedup(WORKERS[-1], gigabits, speed) for name in plain
        }
        wrong = [f"{b} above {a}" for a, b in pairs if gains[a] < gains[b]]
        reason = f"it does in {len(pairs) - len(wrong)} of {len(pairs)} pairs"
        if wrong:
            reason += f", not for {', '.join(wrong)}"
        sentences.append(
            _sentence(
                f"the network with fewer parameters gains more from {WORKERS[-1]} "
                f"workers at {gigabits} Gbit/s, {SPEEDS[speed]},",
                not wrong,
                reason,
            )
        )
    return sentences


def _sentence(statement, holds, reason):
    return (
        f"The claim that {statement} {'holds' if holds else 'does not hold'}: {reason}."
    )


def figures(measured: Measurements, path: Path) -> list[Path]:
    """Speed-up over workers: by bandwidth for both speeds, and by exchange."""
    networks = list(dict.fromkeys(network for network, _ in measured))
    styles = dict(zip(networks, zip(_COLOURS, _MARKERS, strict=True), strict=False))
    drawn = []
    for speed, name in zip(SPEEDS, ("speedup", "speedup_fast"), strict=True):
        panels = [
            (f"{gigabits} Gbit/s, {SPEEDS[speed]}", "float32", gigabits, speed)
            for gigabits in GIGABITS
        ]
        drawn += _drawn(f"{path}-{name}", measured, panels, styles)
    fast = max(SPEEDS)
    panels = [
        (f"{EXCHANGES[way].label}, 1 Gbit/s, {SPEEDS[fast]}", way, 1, fast)
        for way in EXCHANGES
    ]
    return drawn + _drawn(f"{path}-exchanges", measured, panels, styles)


def _drawn(path, measured, panels, styles):
    return drawing.save(
        path,
        [
            functools.partial(_draw, measured=measured, panel=panel, styles=styles)
            for panel in panels
        ],
    )


def _draw(axes, measured, panel, styles):
    title, exchange, gigabits, speed = panel
    for network, (colour, marker) in styles.items():
        if (network, exchange) not in measured:
            continue
        each = measured[network, exchange]
        gains = [each.speedup(workers, gigabits, speed) for workers in WORKERS]
        axes.plot(
            WORKERS, gains, color=colour, marker=marker, ms=4, lw=1, label=network
        )
    axes.plot(WORKERS, WORKERS, color="#999999", linestyle="--", label="ideal")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.set_xticks(WORKERS, [str(workers) for workers in WORKERS])
    ticks = (0.25, 1, 4, 16, 64)
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xlabel("workers")
    axes.set_ylabel("speed-up over one worker")
    axes.set_title(title, fontsize=10)
    axes.grid(linewidth=0.4, alpha=0.6)
    axes.legend(frameon=False, fontsize=8)
