"""What workers send and gain, as tables and sentences."""

from __future__ import annotations

import itertools

from experiments.report import scaling
from experiments.report.sheet import Sheet
from experiments.trials import step_times
from experiments.trials.exchanges import EXCHANGES, elements
from mobilenet_tf.analysis import table

_SETTINGS = list(itertools.product(scaling.SPEEDS, scaling.GIGABITS))


def bytes_sheet(measured: scaling.Measurements) -> Sheet:
    """Bytes that two workers send in a step: counted, and on the loopback interface."""
    rows = []
    for network, exchange in itertools.product(step_times.NETWORKS, EXCHANGES):
        each, way = measured.get((network, exchange)), EXCHANGES[exchange]
        shapes = each.shapes if each else step_times.shapes_of(network)
        others = each.others if each else step_times.others_of(network)
        gradients = 2 * way.bytes_per_worker(shapes, 2)
        counted = 2 * way.bytes_per_worker(shapes, 2, others)
        rows.append(
            (
                network,
                table.millions(elements(shapes)),
                way.label,
                *(_megabytes(n) for n in (gradients, counted - gradients, counted)),
                _megabytes(each.two.loopback_bytes) if each else "–",
                f"{each.byte_ratio:.3f}" if each else "–",
            )
        )
    counts = ("Gradients MB", "Statistics MB", "Counted MB", "Measured MB", "Ratio")
    return Sheet(("Network", "M parameters", "Exchange", *counts), rows, "bytes")


def _megabytes(count):
    return f"{count / 1e6:,.2f}"


def times_sheet(measured: scaling.Measurements) -> Sheet:
    """Seconds of a step at one worker and at two, and the load of the machine."""
    rows = [
        (
            network,
            EXCHANGES[exchange].label,
            each.one.batch,
            f"{each.one.seconds:.3f}",
            f"{each.two.seconds:.3f}",
            f"{2 * each.plain.seconds / each.two.seconds:.2f}",
            f"{each.speedup(2, each.loopback.gigabits):.2f}",
            f"{each.two.latency_seconds * 1e3:.2f}",
            f"{each.two.exchange_16_mib_seconds * 1e3:.1f}",
            f"{max(each.one.load, each.two.load):.1f}",
        )
        for (network, exchange), each in measured.items()
    ]
    columns = ("Network", "Exchange", "Images of a worker", "1 worker s", "2 workers s")
    gains = ("Speed-up", "By the model")
    link = ("Latency ms", "16 MiB ms", "Load")
    return Sheet((*columns, *gains, *link), rows, "steps")


def link(measured):
    """What the model takes of the loopback interface."""
    link = next(iter(measured.values())).loopback
    return (
        f"Over the loopback interface two workers take {link.latency * 1e3:.2f} ms to "
        "add up one number, and while they add up 16 MiB each sends "
        f"{link.gigabits:.1f} Gbit/s: medians of {len(link.latencies)} measurements."
    )


def speedup_sheet(
    measured: scaling.Measurements, workers: int = scaling.WORKERS[-1]
) -> Sheet:
    """Speed-up of so many workers at every bandwidth."""
    rows = [
        (
            network,
            EXCHANGES[exchange].label,
            *(f"{each.speedup(workers, g, speed):.1f}" for speed, g in _SETTINGS),
        )
        for (network, exchange), each in measured.items()
    ]
    columns = [f"{g} Gbit/s, {scaling.SPEEDS[speed]}" for speed, g in _SETTINGS]
    return Sheet(("Network", "Exchange", *columns), rows, "speedup")


def above_workers(measured):
    """Which speed-ups cannot be, and why they are shown; empty without any."""
    workers = scaling.WORKERS[-1]
    names = [
        f"{network} with {EXCHANGES[exchange].label}"
        for (network, exchange), each in measured.items()
        if any(each.speedup(workers, g, speed) > workers for speed, g in _SETTINGS)
    ]
    if not names:
        return ""
    steps = [step for each in measured.values() for step in (each.plain, each.one)]
    most = max(
        abs(seconds / step.seconds - 1)
        for step in steps
        for seconds in scaling.all_seconds(step)
    )
    return (
        f"More than {workers} times as fast seem {'; '.join(names)}. There the step of "
        "one worker was measured to be shorter with the work of the exchange than "
        f"without, which is noise: steps of a run are up to {100 * most:.0f} % from "
        "their median, and runs differ, too."
    )
