"""Accuracy over cost: the paper's points on the left, ours on the right.

The two halves share no accuracy axis, since they show different data sets.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from mobilenet_tf.reporting import table
from mobilenet_tf.reporting.rows import Row, select, top1s

# Colour-blind safe (Okabe and Ito), one colour and marker per alpha.
_STYLES = {
    1.0: ("#0072B2", "o"),
    0.75: ("#009E73", "s"),
    0.5: ("#E69F00", "^"),
    0.25: ("#D55E00", "D"),
}
_LABELS = {
    "mult_adds": "million mult-adds",
    "parameters": "million parameters",
}


def accuracy_over_mult_adds(rows: Sequence[Row], results: list[dict], path: Path):
    """Figure 4 of arXiv 1704.04861, as `{path}-mult_adds.png` and `.svg`."""
    return _draw(rows, results, path, "mult_adds")


def accuracy_over_parameters(rows: Sequence[Row], results: list[dict], path: Path):
    """Figure 5 of arXiv 1704.04861, as `{path}-parameters.png` and `.svg`."""
    return _draw(rows, results, path, "parameters")


def _draw(rows, results, path, quantity):
    import matplotlib

    matplotlib.use("Agg")
    # The same records give the same files, byte for byte.
    matplotlib.rcParams["svg.hashsalt"] = "mobilenet_tf"
    from matplotlib import pyplot

    label = _LABELS[quantity]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4.2), dpi=150)
    paper = [
        (
            row.network.arguments,
            row.network.costs()[quantity] / 1e6,
            row.published.top1,
            0.0,
        )
        for row in rows
    ]
    _panel(left, paper, "Paper: ImageNet", f"{label} (1000 classes)")
    shown = [row for row in rows if select(row.network, results)]
    ours = []
    for row in shown:
        values = top1s(row.network, results)
        size = select(row.network, results)[0]["cost"][quantity] / 1e6
        spread = 100 * (table.spread(values) or 0.0)
        ours.append((row.network.arguments, size, 100 * table.mean(values), spread))
    title = "Ours: no records"
    if shown:
        data = select(shown[0].network, results)[0]["data"]
        title = f"Ours: {data['name']}, {data['base_resolution']} px at rho 1"
    _panel(right, ours, title, f"{label} (as trained)")
    figure.tight_layout()
    paths = [
        path.with_name(f"{path.name}-{quantity}.{kind}") for kind in ("png", "svg")
    ]
    for file in paths:
        partial = file.with_name(f"{file.name}.partial")
        date = {"Date": None} if file.suffix == ".svg" else None
        figure.savefig(partial, format=file.suffix[1:], metadata=date)
        os.replace(partial, file)
    pyplot.close(figure)
    return paths


def _panel(axes, points, title, label):
    """One half: a line per alpha through its resolutions."""
    from matplotlib import ticker

    for alpha, (colour, marker) in _STYLES.items():
        own = sorted(
            (size, top1, spread)
            for arguments, size, top1, spread in points
            if arguments["alpha"] == alpha
        )
        if not own:
            continue
        sizes, accuracies, spreads = zip(*own, strict=True)
        axes.errorbar(
            sizes,
            accuracies,
            yerr=spreads if any(spreads) else None,
            color=colour,
            marker=marker,
            markersize=5,
            linewidth=1,
            capsize=3,
            label=f"alpha {alpha:g}",
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
    axes.xaxis.set_minor_formatter(ticker.NullFormatter())
    axes.set_title(title, fontsize=11)
    axes.set_xlabel(label)
    axes.set_ylabel("top-1 accuracy, %")
    axes.grid(which="major", linewidth=0.4, alpha=0.6)
    if points:
        axes.legend(frameon=False, fontsize=9, loc="lower right")
