"""Accuracy over cost: the paper's points on the left, ours on the right.

The two panels share no accuracy axis, because they show different data sets.
"""

from __future__ import annotations

import collections
import functools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments.report import seed_spread, sizes
from experiments.report.drawing import (
    ALPHAS,
    STYLES,
    Figure,
    Panel,
    Point,
    draw_panel,
    save,
)
from experiments.report.log_linear import fit
from experiments.trials.row import Row, select, values
from mobilenet_tf.analysis import table

_LINE = "log-linear fit"
_FRONT, _FRONT_STYLE = "Pareto front", ("#999999", "", 1)
_TOP1 = "top-1 accuracy, %"
_BESIDE_PAPER = f"{_TOP1} (not the scale on the left)"
_BESIDE = "the paper's networks on ImageNet, and ours on "
_OURS = "our networks on "
WITHIN = 1.96  # standard errors: bars of 95 %


def accuracy_over_mult_adds(
    rows: Sequence[Row], results: Sequence[dict], path: Path
) -> list[Figure]:
    """Figure 4 of arXiv 1704.04861, as `{path}-mult_adds.png` and `.svg`."""
    return _by_alpha(rows, results, path, "mult_adds", "million mult-adds", lined=True)


def accuracy_over_parameters(
    rows: Sequence[Row], results: Sequence[dict], path: Path
) -> list[Figure]:
    """Figure 5 of arXiv 1704.04861, as `{path}-parameters.png` and `.svg`."""
    return _by_alpha(rows, results, path, "parameters", "million parameters")


def accuracy_over_size(
    rows: Sequence[Row], results: Sequence[dict], path: Path
) -> list[Figure]:
    """Figure 3 of arXiv 1602.07360, as `{path}-size.png` and `.svg`.

    Ours is top-1: top-5 of ten classes says little.
    """
    styles = {"": STYLES[1.0]}
    printed = [Point("", row.published.size, row.published.top5) for row in rows]
    ours = [
        Point("", 4 * row.network.costs()["parameters_with_biases"] / 2**20, *measured)
        for row in rows
        if (measured := _measured(row, results))
    ]
    panels = [
        Panel(printed, "Paper: ImageNet", "MiB of parameters", "top-5 accuracy, %"),
        Panel(ours, _title(rows, results), "MiB (1000 classes)", _BESIDE_PAPER),
    ]
    shows = f"Accuracy over the size of the parameters: {_BESIDE}"
    return _save(f"{path}-size", panels, styles, shows + _name(rows, results))


def accuracy_over_bytes(
    rows: Sequence[Row], results: Sequence[dict], path: Path
) -> list[Figure]:
    """Compressed networks and their Pareto front, as `{path}-bytes.png` and `.svg`.

    A colour stands for the alpha of the networks.
    """
    points = [
        Point(_alpha(row), sizes.size_bytes(row, results) / 1e6, *measured)
        for row in rows
        if (measured := _measured(row, results))
    ]
    front = sizes.pareto_front([(point.cost, point.accuracy) for point in points])
    styles = {_FRONT: _FRONT_STYLE}
    for line, (colour, marker, _) in ALPHAS.items():
        styles[line] = colour, marker, 0
    drawn = [Point(_FRONT, *best) for best in front] + points
    panel = Panel(drawn, _title(rows, results), "MB in a file", _TOP1)
    shows = f"Top-1 accuracy over bytes in a file, of compressed networks: {_OURS}"
    return _save(f"{path}-bytes", [panel], styles, shows + _name(rows, results))


def accuracy_over_images(
    rows: Sequence[Row], results: Sequence[dict], path: Path
) -> list[Figure]:
    """Accuracy over the training images of a class, as `{path}-images.png` and `.svg`.

    A panel for each alpha, with a line for the networks that start from published
    weights and one for the others.
    """
    lines = collections.defaultdict(list)
    for row in rows:
        if measured := _measured(row, results):
            data = select(row, results)[0]["data"]
            every = data["train_size"] / len(data["class_names"])
            line = "published weights" if row.network.weights else "from scratch"
            images = row.network.images_per_class or every
            lines[_alpha(row)].append(Point(line, images, *measured))
    styles = {"published weights": STYLES[1.0], "from scratch": STYLES[0.25]}
    title = _title(rows, results)
    panels = [
        Panel(points, f"{alpha}. {title}", "training images of a class", _TOP1)
        for alpha, points in lines.items()
    ]
    shows = f"Top-1 accuracy over the training images of a class: {_OURS}"
    return _save(f"{path}-images", panels, styles, shows + _name(rows, results))


def training_loss(
    rows: Sequence[Row], results: Sequence[dict], path: Path
) -> list[Figure]:
    """Loss over the epochs, and that of guessing, as `{path}-loss.png` and `.svg`."""
    lines = {
        row.network.label: [epoch["loss"] for epoch in records[0]["history"]]
        for row in rows
        if (records := select(row, results))
    }
    guessing = math.log(len(results[0]["data"]["class_names"]))

    def draw(axes):
        for (label, losses), (colour, marker, _) in zip(
            lines.items(), STYLES.values(), strict=False
        ):
            epochs = range(1, len(losses) + 1)
            axes.plot(epochs, losses, color=colour, marker=marker, ms=3, label=label)
        axes.axhline(guessing, color="#999999", linestyle="--", label="ln(classes)")
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_ylabel("training loss")
        axes.set_title(_data(rows, results), fontsize=11)
        axes.grid(linewidth=0.4, alpha=0.6)
        axes.legend(frameon=False, fontsize=9)

    shows = f"Training loss over the epochs: {_OURS}{_name(rows, results)}"
    return [save(f"{path}-loss", [draw], shows)]


def _by_alpha(rows, results, path, quantity, label, lined=False):
    """A line per alpha through its resolutions, over a cost; and one through all."""
    printed, ours = [], []
    for row in rows:
        cost = row.network.costs()[quantity] / 1e6
        printed.append(Point(_alpha(row), cost, row.published.top1))
        if measured := _measured(row, results):
            cost = select(row, results)[0]["cost"][quantity] / 1e6
            ours.append(Point(_alpha(row), cost, *measured))
    if lined:
        printed, ours = (_line(points) + points for points in (printed, ours))
    panels = [
        Panel(printed, "Paper: ImageNet", f"{label} (1000 classes)", _TOP1),
        Panel(ours, _title(rows, results), f"{label} (as trained)", _BESIDE_PAPER),
    ]
    styles = {_LINE: ("#999999", "", 1), **ALPHAS} if lined else ALPHAS
    shows = f"Top-1 accuracy over {label}: {_BESIDE}{_name(rows, results)}"
    return _save(f"{path}-{quantity}", panels, styles, shows)


def _alpha(row):
    return f"alpha {row.network.config['arguments']['alpha']:g}"


def _measured(row, results):
    """Mean of our top-1 and half of its interval, in percent; None without records."""
    top1s = values(row, results)
    if not top1s:
        return None
    mean = table.mean(top1s)
    images = select(row, results)[0]["data"]["evaluation_size"]
    # All seeds are evaluated on the same images.
    spread = seed_spread.at(mean, seed_spread.of_logits(results, "top1"))
    seeds = spread**2 / len(top1s)
    error = (mean * (1 - mean) / images + seeds) ** 0.5
    return 100 * mean, 100 * WITHIN * error


def _title(rows, results):
    seeds = " and seeds" if seed_spread.of_logits(results, "top1") else ""
    return f"{_data(rows, results)}\nbars: 95 % error of images{seeds}"


def _data(rows, results):
    data = _metadata(rows, results)
    return f"Ours: {data['name']}, {data['base_resolution']} px at rho 1"


def _name(rows, results):
    return _metadata(rows, results)["name"]


def _metadata(rows, results):
    """The data set of the rows, at least one of which has a record."""
    return next(records[0]["data"] for row in rows if (records := select(row, results)))


def _line(points):
    """The two ends of the line through points over the logarithm of their costs."""
    costs = [point.cost for point in points]
    if len(set(costs)) < 2:
        return []
    line = fit(costs, [point.accuracy for point in points])
    return [Point(_LINE, cost, line.at(cost)) for cost in (min(costs), max(costs))]


def _save(
    path: str, panels: Sequence[Panel], styles: Mapping, shows: str
) -> list[Figure]:
    draw = [
        functools.partial(draw_panel, panel=panel, styles=styles) for panel in panels
    ]
    return [save(path, draw, shows)]
