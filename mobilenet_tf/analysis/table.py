"""Tables as aligned Markdown, which reads well in a terminal too."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def render(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column is aligned left, the others right."""
    widths = [
        max(len(cell) for cell in column) for column in zip(columns, *rows, strict=True)
    ]

    def line(cells):
        padded = [
            cell.rjust(width) if index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "| " + " | ".join(padded) + " |"

    rule = "|".join(
        "-" * (width + 1) + ":" if index else "-" * (width + 2)
        for index, width in enumerate(widths)
    )
    return "\n".join([line(columns), f"|{rule}|", *map(line, rows)])


def percent(fraction: float | None) -> str:
    """A fraction as percent with one decimal; a dash for None."""
    return "–" if fraction is None else f"{100 * fraction:.1f}"


def points(percentage: float | None) -> str:
    """Percent with one decimal; a dash for None."""
    return "–" if percentage is None else f"{percentage:.1f}"


def difference(first: float | None, second: float | None) -> float | None:
    """`first - second`, or None where one is missing."""
    return None if first is None or second is None else first - second


def millions(count: int | None) -> str:
    """A count in millions with two decimals; a dash for None."""
    return "–" if count is None else f"{count / 1e6:.2f}"


def number(value: float | None) -> str:
    """A number as it was printed; a dash for None."""
    return "–" if value is None else f"{value:g}"


def shape(sizes: Sequence[int]) -> str:
    """Sizes with crosses in between."""
    return "x".join(map(str, sizes))


def mean(values: Sequence[float]) -> float | None:
    """The mean, or None of nothing."""
    return statistics.fmean(values) if values else None


def interval(fraction: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a fraction of `count` trials, after Wilson."""
    z = statistics.NormalDist().inv_cdf(0.975)
    centre = (fraction + z**2 / (2 * count)) / (1 + z**2 / count)
    spread = fraction * (1 - fraction) / count + z**2 / (4 * count**2)
    half = z * spread**0.5 / (1 + z**2 / count)
    return centre - half, centre + half


def spread(values: Sequence[float]) -> float | None:
    """The sample standard deviation, or None of fewer than two values."""
    return statistics.stdev(values) if len(values) > 1 else None
