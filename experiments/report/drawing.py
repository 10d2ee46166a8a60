"""Panels side by side in one figure, as `.png` and `.svg`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from mobilenet_tf import files

# Colour-blind safe (Okabe and Ito): colour, marker and line width per alpha.
STYLES = {
    1.0: ("#0072B2", "o", 1),
    0.75: ("#009E73", "s", 1),
    0.5: ("#E69F00", "^", 1),
    0.25: ("#D55E00", "D", 1),
}
ALPHAS = {f"alpha {alpha:g}": style for alpha, style in STYLES.items()}


@dataclasses.dataclass(frozen=True)
class Figure:
    """A figure in two files.

    Attributes:
        shows: What it shows, for readers who do not see it.
        png: For pages.
        svg: The same at any size.
    """

    shows: str
    png: Path
    svg: Path


class Point(NamedTuple):
    """A network in a panel.

    Attributes:
        line: Key of its style; points of one line are connected.
        cost: On the logarithmic axis.
        accuracy: In percent.
        spread: Half of the interval of the accuracy, in percentage points.
    """

    line: str
    cost: float
    accuracy: float
    spread: float = 0.0


class Panel(NamedTuple):
    """Accuracies over costs: points, title, and the labels of both axes."""

    points: Sequence[Point]
    title: str
    cost_label: str
    accuracy_label: str


def save(path: str, draw: Sequence[Callable], shows: str) -> Figure:
    """Let functions draw side by side; write `{path}.png` and `{path}.svg`.

    Args:
        path: Path without suffix.
        draw: For each panel a function that is called with its Matplotlib axes.
        shows: See `Figure`.
    """
    import matplotlib

    matplotlib.use("Agg")
    # The same records give the same files, byte for byte.
    matplotlib.rcParams["svg.hashsalt"] = "mobilenet_tf"
    from matplotlib import pyplot

    figure, grid = pyplot.subplots(
        1, len(draw), figsize=(5 * len(draw), 4.2), dpi=150, squeeze=False
    )
    for axes, draw_panel in zip(grid[0], draw, strict=True):
        draw_panel(axes)
    figure.tight_layout()
    drawn = Figure(shows, Path(f"{path}.png"), Path(f"{path}.svg"))
    for file in (drawn.png, drawn.svg):
        date = {"Date": None} if file.suffix == ".svg" else None
        with files.replacing(file) as partial:
            figure.savefig(partial, format=file.suffix[1:], metadata=date)
    pyplot.close(figure)
    return drawn


def draw_panel(axes, panel: Panel, styles: Mapping[str, tuple[str, str, int]]) -> None:
    """Draw accuracies over costs, the costs on a logarithmic axis."""
    from matplotlib import ticker

    for line, (colour, marker, width) in styles.items():
        own = sorted(point[1:] for point in panel.points if point.line == line)
        if not own:
            continue
        costs, accuracies, spreads = zip(*own, strict=True)
        axes.errorbar(
            costs,
            accuracies,
            yerr=spreads if any(spreads) else None,
            color=colour,
            marker=marker,
            markersize=5,
            linewidth=width,
            elinewidth=1,
            capsize=3,
            label=line,
        )
    axes.set_xscale("log")
    drawn = [point.cost for point in panel.points] or [1]
    wide = max(drawn) > 10 * min(drawn)
    subs = (1, 2, 5) if wide else (1, 1.5, 2, 3, 4, 5, 6, 8)
    axes.xaxis.set_major_locator(ticker.LogLocator(subs=subs))
    axes.xaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
    axes.xaxis.set_minor_formatter(ticker.NullFormatter())
    axes.set_title(panel.title, fontsize=11)
    axes.set_xlabel(panel.cost_label)
    axes.set_ylabel(panel.accuracy_label)
    axes.grid(which="major", linewidth=0.4, alpha=0.6)
    if panel.points and len(styles) > 1:
        axes.legend(frameon=False, fontsize=9, loc="lower right")
