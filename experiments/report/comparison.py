"""The table that compares a paper's rows with ours, and the sentence below it.

Accuracy on another data set is never subtracted from the paper's: what is compared is
the order, and the drop from the first row. Costs are compared exactly.
"""

from __future__ import annotations

from collections.abc import Sequence

from experiments.report.seed_spread import at
from experiments.trials.row import Row, select, values
from mobilenet_tf.analysis import table

# For another seed or processor: three standard deviations over the seeds, and at least
# the error of some thousand validation images.
MIN_TOLERANCE_POINTS = 2.0

COSTS = ("mult_adds", "parameters")  # what most tables of arXiv 1704.04861 print
_COST_TITLES = {
    "mult_adds": "M mult-adds",
    "parameters": "M params",
    "size": "MiB",
}
METRIC_TITLES = {"top1": "top-1 %", "top5": "top-5 %"}


def costs(rows: Sequence[Row], quantities: Sequence[str] = COSTS) -> str:
    """Exact costs at ImageNet size beside the printed ones, as Markdown."""
    sides = [f"{row.network.costs()['side']} px" for row in rows]
    return _table(rows, [("Input", sides), *_cost_columns(rows, quantities)])


def accuracies(
    rows: Sequence[Row],
    results: Sequence[dict],
    quantities: Sequence[str] = COSTS,
    metrics: Sequence[str] = ("top1",),
) -> str:
    """The paper's columns and ours, as Markdown.

    Args:
        rows: The table's rows.
        results: The table's records.
        quantities: Costs to compare: "mult_adds", "parameters", "size".
        metrics: Accuracies to show; the drop from the first row is of the first one.
    """
    columns = []
    if _from_paper(rows):
        for metric in metrics:
            printed = [getattr(row.published, metric) for row in rows]
            if not any(printed):
                continue
            columns.append(
                (f"Paper {METRIC_TITLES[metric]}", map(table.points, printed))
            )
            if metric == metrics[0]:
                drops = [table.difference(printed[0], other) for other in printed]
                columns.append(("Drop", map(table.points, drops)))
    columns += _cost_columns(rows, quantities)
    sides = [
        record["cost"]["side"] if record else None for record in _firsts(rows, results)
    ]
    columns.append(("Trained at", [f"{side} px" if side else "–" for side in sides]))
    for metric in metrics:
        ours = [values(row, results, metric) for row in rows]
        means = [table.mean(seeds) for seeds in ours]
        columns.append((f"Our {METRIC_TITLES[metric]}", map(table.percent, means)))
        if metric == metrics[0]:
            spreads = map(table.spread, ours)
            columns.append(("±", map(table.percent, spreads)))
            columns.append(("Seeds", [_seeds(row, results) for row in rows]))
            if _from_paper(rows):
                drops = [table.difference(means[0], other) for other in means]
                columns.append(("Drop", map(table.percent, drops)))
    return _table(rows, columns)


def notes(rows: Sequence[Row]) -> str:
    """Oddities of the printed rows, and their conventions, as a Markdown list."""
    lines = []
    for published in (row.published for row in rows):
        parts = [published.note] if published.note else []
        if not published.includes_classifier and "classifier" not in published.note:
            parts.append("mult-adds without the fully connected layers")
        if published.includes_biases:
            parts.append("parameters with biases")
        if parts:
            text = "; ".join(parts)
            lines.append(f"- {published.table}, {published.label}: {text}.")
    return "\n".join(lines)


def expectations(
    rows: Sequence[Row], results: Sequence[dict], seed_spread: float
) -> str:
    """The expected results and duration of a repetition, as Markdown.

    Empty without records.

    Args:
        rows: The table's rows.
        results: The table's records.
        seed_spread: Of top-1, see `experiments.report.seed_spread`.
    """
    columns = ("Network", "Top-1 %", "Tolerance", "Minutes", "Device")
    cells = []
    for row in rows:
        records = select(row, results)
        if not records:
            continue
        minutes = table.mean([record["seconds"] / 60 for record in records])
        mean = table.mean(values(row, results))
        cells.append(
            (
                row.network.label,
                table.percent(mean),
                f"± {tolerance_points(mean, seed_spread):.1f}",
                f"{minutes:.1f}",
                records[0]["device"],
            )
        )
    return table.render(columns, cells) if cells else ""


def tolerance_points(top1: float, seed_spread: float) -> float:
    """How far a repetition's top-1 accuracy may be off, in percentage points.

    Args:
        top1: What is expected, a fraction.
        seed_spread: Of top-1, see `experiments.report.seed_spread`.
    """
    return max(MIN_TOLERANCE_POINTS, 100 * 3 * at(top1, seed_spread))


def summary(
    rows: Sequence[Row],
    results: Sequence[dict],
    metric: str = "top1",
    counted: bool = True,
) -> str:
    """Costs and accuracy, the paper's and ours, in a few columns, as Markdown.

    Args:
        rows: The table's rows.
        results: The table's records.
        metric: The accuracy to show.
        counted: Whether to show costs.
    """
    ours = [values(row, results, metric) for row in rows]
    columns: list[tuple] = [
        (_COST_TITLES[name], [_exact(row, name) for row in rows])
        for name in (COSTS if counted else ())
    ]
    if _from_paper(rows):
        printed = [table.points(getattr(row.published, metric)) for row in rows]
        columns.append((f"Paper {METRIC_TITLES[metric]}", printed))
    means = [table.percent(table.mean(seeds)) for seeds in ours]
    columns.append((f"Our {METRIC_TITLES[metric]}", means))
    spreads = [table.spread(seeds) for seeds in ours]
    if any(spread is not None for spread in spreads):
        columns.append(("±", list(map(table.percent, spreads))))
    return _table(rows, columns)


def _from_paper(rows):
    return any(row.published.table for row in rows)


def _firsts(rows, results):
    """The first record of each row, or None."""
    return [next(iter(select(row, results)), None) for row in rows]


def _seeds(row, results):
    return str(len(select(row, results))) if row.trained else "–"


def _table(rows, columns):
    titles, cells = zip(*columns, strict=True)
    labels = [row.network.label for row in rows]
    return table.render(("Network", *titles), list(zip(labels, *cells, strict=True)))


def _cost_columns(rows, quantities):
    """For each cost the printed one and the exact one in the same convention."""
    for quantity in quantities:
        exact = [_exact(row, quantity) for row in rows]
        title = _COST_TITLES[quantity]
        printed = [getattr(row.published, quantity) for row in rows]
        if not any(printed):
            yield title, exact
            continue
        yield f"Paper {title}", map(table.number, printed)
        yield "Exact", exact


def _exact(row, quantity):
    if quantity == "size":
        return f"{4 * row.network.costs()['parameters_with_biases'] / 2**20:.2f}"
    return table.millions(row.cost(quantity))
