"""Accuracy over cost: the paper's points on the left, ours on the right.

The two halves share no accuracy axis, since they show different data sets.
"""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Sequence
from pathlib import Path

from experiments.report import sizes
from experiments.trials.network import Row, select, values
from mobilenet_tf.analysis import table

# Colour-blind safe (Okabe and Ito): colour, marker and width of the line per alpha.
_STYLES = {
    1.0: ("#0072B2", "o", 1),
    0.75: ("#009E73", "s", 1),
    0.5: ("#E69F00", "^", 1),
    0.25: ("#D55E00", "D", 1),
}
_FRONT, _FRONT_STYLE = "Pareto front", ("#999999", "", 1)


def accuracy_over_mult_adds(rows: Sequence[Row], results: list[dict], path: Path):
    """Figure 4 of arXiv 1704.04861, as `{path}-mult_adds.png` and `.svg`."""
    return _by_alpha(rows, results, path, "mult_adds", "million mult-adds")


def accuracy_over_parameters(rows: Sequence[Row], results: list[dict], path: Path):
    """Figure 5 of arXiv 1704.04861, as `{path}-parameters.png` and `.svg`."""
    return _by_alpha(rows, results, path, "parameters", "million parameters")


def accuracy_over_size(rows: Sequence[Row], results: list[dict], path: Path):
    """Figure 3 of arXiv 1602.07360, as `{path}-size.png` and `.svg`.

    Ours is top-1: five guesses among ten classes say little.
    """
    style = {"": _STYLES[1.0]}
    printed = [("", row.published.size, row.published.top5, 0.0) for row in rows]
    ours = [
        ("", 4 * row.network.costs()["parameters_with_biases"] / 2**20, *measured)
        for row in rows
        if (measured := _measured(row, results))
    ]
    panels = [
        (printed, "Paper: ImageNet", "MiB of parameters", "top-5 accuracy, %"),
        (ours, _title(rows, results), "MiB (1000 classes)", "top-1 accuracy, %"),
    ]
    return _save(f"{path}-size", panels, style)


def accuracy_over_bytes(rows: Sequence[Row], results: list[dict], path: Path):
    """Compressed networks and their Pareto front, as `{path}-bytes.png` and `.svg`.

    A colour stands for what is before the comma in the label of a row.
    """
    points = []
    for row in rows:
        if measured := _measured(row, results):
            name = row.network.label.partition(",")[0]
            points.append((name, sizes.size_bytes(row, results) / 1e6, *measured))
    front = sizes.pareto_front([point[1:3] for point in points])
    names = dict.fromkeys(point[0] for point in points)
    styles = {_FRONT: _FRONT_STYLE}
    for name, (colour, marker, _) in zip(names, _STYLES.values(), strict=False):
        styles[name] = colour, marker, 0
    drawn = [(_FRONT, *one, 0.0) for one in front] + points
    panels = [(drawn, _title(rows, results), "MB in a file", "top-1 accuracy, %")]
    return _save(f"{path}-bytes", panels, styles)


def training_loss(rows: Sequence[Row], results: list[dict], path: Path):
    """Loss over the epochs, from that of guessing, as `{path}-loss.png` and `.svg`."""
    lines = {
        row.network.label: [epoch["loss"] for epoch in found[0]["history"]]
        for row in rows
        if (found := select(row, results))
    }
    guessing = math.log(len(results[0]["data"]["class_names"]))

    def draw(axes):
        for (label, losses), (colour, marker, _) in zip(
            lines.items(), _STYLES.values(), strict=False
        ):
            epochs = range(1, len(losses) + 1)
            axes.plot(epochs, losses, color=colour, marker=marker, ms=3, label=label)
        axes.axhline(guessing, color="#999999", linestyle="--", label="ln(classes)")
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_ylabel("training loss")
        axes.set_title(_title(rows, results), fontsize=11)
        axes.grid(linewidth=0.4, alpha=0.6)
        axes.legend(frameon=False, fontsize=9)

    return _drawn(f"{path}-loss", [draw])


def _by_alpha(rows, results, path, quantity, label):
    """A line per alpha through its resolutions, over a cost."""
    printed, ours = [], []
    for row in rows:
        line = f"alpha {row.network.arguments['alpha']:g}"
        cost = row.network.costs()[quantity] / 1e6
        printed.append((line, cost, row.published.top1, 0.0))
        if measured := _measured(row, results):
            cost = select(row, results)[0]["cost"][quantity] / 1e6
            ours.append((line, cost, *measured))
    panels = [
        (printed, "Paper: ImageNet", f"{label} (1000 classes)", "top-1 accuracy, %"),
        (ours, _title(rows, results), f"{label} (as trained)", "top-1 accuracy, %"),
    ]
    styles = {f"alpha {alpha:g}": style for alpha, style in _STYLES.items()}
    return _save(f"{path}-{quantity}", panels, styles)


def _measured(row, results):
    """Mean and spread of our top-1 in percent; None without records."""
    top1s = values(row, results)
    if not top1s:
        return None
    return 100 * table.mean(top1s), 100 * (table.spread(top1s) or 0.0)


def _title(rows, results):
    for row in rows:
        if found := select(row, results):
            data = found[0]["data"]
            return f"Ours: {data['name']}, {data['base_resolution']} px at rho 1"
    return "Ours: no records"


def _save(path, panels, styles):
    """Draw accuracies over costs side by side and write them."""
    return _drawn(
        path,
        [functools.partial(_panel, content=one, styles=styles) for one in panels],
    )


def _drawn(path, panels):
    """Let functions draw side by side; write `{path}.png` and `{path}.svg`."""
    import matplotlib

    matplotlib.use("Agg")
    # The same records give the same files, byte for byte.
    matplotlib.rcParams["svg.hashsalt"] = "mobilenet_tf"
    from matplotlib import pyplot

    figure, places = pyplot.subplots(
        1, len(panels), figsize=(5 * len(panels), 4.2), dpi=150, squeeze=False
    )
    for axes, draw in zip(places[0], panels, strict=True):
        draw(axes)
    figure.tight_layout()
    paths = [Path(f"{path}.{kind}") for kind in ("png", "svg")]
    for file in paths:
        partial = file.with_name(f"{file.name}.partial")
        date = {"Date": None} if file.suffix == ".svg" else None
        figure.savefig(partial, format=file.suffix[1:], metadata=date)
        os.replace(partial, file)
    pyplot.close(figure)
    return paths


def _panel(axes, content, styles):
    """One panel: points `(line, cost, accuracy, spread)`, cost on a log axis."""
    from matplotlib import ticker

    points, title, cost_label, accuracy_label = content

    for line, (colour, marker, width) in styles.items():
        own = sorted(point[1:] for point in points if point[0] == line)
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
    drawn = [point[1] for point in points] or [1]
    wide = max(drawn) > 10 * min(drawn)
    subs = (1, 2, 5) if wide else (1, 1.5, 2, 3, 4, 5, 6, 8)
    axes.xaxis.set_major_locator(ticker.LogLocator(subs=subs))
    axes.xaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
    axes.xaxis.set_minor_formatter(ticker.NullFormatter())
    axes.set_title(title, fontsize=11)
    axes.set_xlabel(cost_label)
    axes.set_ylabel(accuracy_label)
    axes.grid(which="major", linewidth=0.4, alpha=0.6)
    if points and len(styles) > 1:
        axes.legend(frameon=False, fontsize=9, loc="lower right")
