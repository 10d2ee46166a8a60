"""Speed-up over the number of workers, drawn."""

from __future__ import annotations

import functools
from pathlib import Path

from experiments.report import drawing
from experiments.report.scaling import GIGABITS, SPEEDS, WORKERS, Measurements
from experiments.trials.exchanges import EXCHANGES

# MobileNets as in all figures, then the others.
_COLOURS = (
    *(drawing.STYLES[alpha][0] for alpha in (1.0, 0.25)),
    *("#CC79A7", "#56B4E9", "#009E73", "#000000"),
)
_MARKERS = "oDs^vP"


def figures(measured: Measurements, path: Path) -> list[drawing.Figure]:
    """Speed-up over workers: by bandwidth for both speeds, and by exchange."""
    networks = list(dict.fromkeys(network for network, _ in measured))
    styles = dict(zip(networks, zip(_COLOURS, _MARKERS, strict=True), strict=False))
    drawn = []
    for speed, name in zip(SPEEDS, ("speedup", "speedup_fast"), strict=True):
        panels = [
            (f"{gigabits} Gbit/s, {SPEEDS[speed]}", "float32", gigabits, speed)
            for gigabits in GIGABITS
        ]
        shows = f"Speed-up over 2 to {WORKERS[-1]} workers, {SPEEDS[speed]}: "
        shows += "1, 10 and 100 Gbit/s"
        drawn.append(_drawn(f"{path}-{name}", measured, panels, styles, shows))
    fast = max(SPEEDS)
    panels = [
        (f"{EXCHANGES[way].label}, 1 Gbit/s, {SPEEDS[fast]}", way, 1, fast)
        for way in EXCHANGES
    ]
    ways = ", ".join(way.label for way in EXCHANGES.values())
    shows = f"Speed-up at 1 Gbit/s, {SPEEDS[fast]}, by exchange of gradients: {ways}"
    drawn.append(_drawn(f"{path}-exchanges", measured, panels, styles, shows))
    return drawn


def _drawn(path, measured, panels, styles, shows):
    return drawing.save(
        path,
        [
            functools.partial(_draw, measured=measured, panel=panel, styles=styles)
            for panel in panels
        ],
        shows,
    )


def _draw(axes, measured, panel, styles):
    title, exchange, gigabits, speed = panel
    for network, (colour, marker) in styles.items():
        if (network, exchange) not in measured:
            continue
        each = measured[network, exchange]
        gains = [each.speedup(workers, gigabits, speed) for workers in WORKERS]
        axes.plot(
            WORKERS,
            gains,
            color=colour,
            marker=marker,
            ms=4,
            lw=1,
            label=network,
        )
    axes.plot(WORKERS, WORKERS, color="#999999", linestyle="--", label="ideal")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.set_xticks(WORKERS, [str(workers) for workers in WORKERS])
    ticks = (1 / 16, 1 / 4, 1, 4, 16, 64)
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_ylim(1 / 64, 100)  # the same in all panels, which are compared
    axes.set_xlabel("workers")
    axes.set_ylabel("speed-up over one worker")
    axes.set_title(title, fontsize=10)
    axes.grid(linewidth=0.4, alpha=0.6)
    axes.legend(frameon=False, fontsize=8, loc="upper left")
