"""Which classes a network takes for which: tables and a picture."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mobilenet_tf import files
from mobilenet_tf.analysis import table
from mobilenet_tf.packages import require

# Of more classes, a terminal shows the weakest and the commonest confusions.
_MOST_COLUMNS = 12
_MOST_ROWS = 20
_MOST_NUMBERS = 30  # classes up to which a picture has numbers in its cells
_SUFFIXES = (".png", ".svg", ".pdf")


def recall(confusion: np.ndarray) -> np.ndarray:
    """Share of each class's images that were given the class; NaN where it has none.

    Args:
        confusion: Images of each class, in rows, by the class given, in columns.
    """
    return _shares(confusion, confusion.sum(1))


def precision(confusion: np.ndarray) -> np.ndarray:
    """Share of the images given a class that are of it; NaN where none was given it."""
    return _shares(confusion, confusion.sum(0))


def describe(confusion: np.ndarray, class_names: Sequence[str]) -> str:
    """Precision and recall of each class, then the confusions, as Markdown."""
    parts = [_by_class(confusion, class_names)]
    if len(class_names) <= _MOST_COLUMNS:
        columns = ("true class \\ predicted", *class_names)
        rows = [
            (name, *map(str, row))
            for name, row in zip(class_names, confusion, strict=True)
        ]
        parts.append(table.render(columns, rows))
    elif confusions := _commonest(confusion, class_names):
        parts.append(confusions)
    return "\n\n".join(parts)


def check_picture(path: Path, name: str = "path") -> None:
    """Raise ValueError unless a picture can be written in the format of the suffix."""
    if path.suffix not in _SUFFIXES:
        legal = ", ".join(_SUFFIXES)
        raise ValueError(f"{name} must end in one of {legal}, got {str(path)!r}")


def save_picture(
    confusion: np.ndarray, class_names: Sequence[str], path: str | os.PathLike
) -> None:
    """Draw a confusion matrix; each row is shaded by its shares.

    Raises:
        ValueError: `path` does not end in .png, .svg or .pdf.
        ImportError: matplotlib is not installed.
    """
    path = Path(path)
    check_picture(path)
    (matplotlib,) = require(
        "matplotlib.figure",
        purpose="a picture of the confusion matrix",
        command="pip install matplotlib",
    )
    count = len(class_names)
    side = 2.5 + 0.45 * min(count, 40)
    figure = matplotlib.Figure(figsize=(side + 1, side), layout="constrained")
    axes = figure.add_subplot()
    images = confusion.sum(1, keepdims=True)
    shares = confusion / np.maximum(images, 1)
    drawn = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(drawn, label="share of the true class", shrink=0.8)
    axes.set(xlabel="predicted class", ylabel="true class")
    if count <= 3 * _MOST_NUMBERS:
        axes.set_xticks(range(count), class_names, rotation=90)
        axes.set_yticks(range(count), class_names)
    if count <= _MOST_NUMBERS:
        for row, column in np.argwhere(confusion):
            colour = "white" if shares[row, column] > 0.5 else "black"
            number = confusion[row, column]
            axes.text(column, row, number, ha="center", va="center", color=colour)
    with files.replacing(path) as partial:
        figure.savefig(partial, dpi=120, format=path.suffix[1:])


def _shares(confusion: np.ndarray, totals: np.ndarray) -> np.ndarray:
    shares = np.full(len(confusion), np.nan)
    np.divide(np.diagonal(confusion), totals, out=shares, where=totals > 0)
    return shares


def _by_class(confusion: np.ndarray, class_names: Sequence[str]) -> str:
    images = confusion.sum(1)
    measures = precision(confusion), recall(confusion)
    shown = np.arange(len(class_names))
    title = "class"
    if len(shown) > _MOST_ROWS:
        order = np.where(images > 0, measures[1], np.inf)  # classes without images last
        shown = np.argsort(order, kind="stable")[:_MOST_ROWS]
        title = f"the {_MOST_ROWS} classes of {len(class_names)} with the lowest recall"

    def percent(share: float) -> str:
        return table.percent(None if np.isnan(share) else float(share))

    rows = [
        (
            class_names[index],
            str(images[index]),
            *(percent(shares[index]) for shares in measures),
        )
        for index in map(int, shown)
    ]
    return table.render((title, "images", "precision %", "recall %"), rows)


def _commonest(confusion: np.ndarray, class_names: Sequence[str]) -> str:
    errors = confusion.copy()
    np.fill_diagonal(errors, 0)
    order = np.argsort(-errors, axis=None, kind="stable")[:_MOST_ROWS]
    pairs = zip(*np.unravel_index(order, errors.shape), strict=True)
    rows = [
        (f"{class_names[label]}, taken for {class_names[given]}", str(count))
        for label, given in pairs
        if (count := errors[label, given])
    ]
    return table.render(("commonest confusions", "images"), rows) if rows else ""
