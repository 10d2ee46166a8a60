"""A table of a page: aligned Markdown for people, CSV for programs."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from collections.abc import Sequence

from experiments.report.comparison import COSTS, tolerance_points
from experiments.trials.row import Row, select, values
from mobilenet_tf.analysis import table

_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")


@dataclasses.dataclass(frozen=True)
class Sheet:
    """A table.

    Args:
        columns: Titles.
        rows: As many cells each, as they are shown.
        name: Ends the name of its CSV file where a page has several tables.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    name: str = ""

    def __str__(self) -> str:
        """As Markdown."""
        return table.render(self.columns, [list(map(str, row)) for row in self.rows])

    def csv(self) -> str:
        """As CSV: numbers without commas, nothing instead of a dash.

        A title that is not the only one of its kind, such as "Exact", begins with the
        title before it.
        """
        titles = [
            f"{self.columns[index - 1]}, {title}"
            if list(self.columns).count(title) > 1 and index
            else title
            for index, title in enumerate(self.columns)
        ]
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(titles)
        writer.writerows([_plain(cell) for cell in row] for row in self.rows)
        return text.getvalue()


def measured(
    rows: Sequence[Row],
    results: Sequence[dict],
    seed_spread: float,
    metrics: Sequence[str] = ("top1",),
    counted: bool = True,
) -> Sheet:
    """Everything that a table of trained networks knows of each row, not rounded.

    Accuracies of records are fractions, those of the paper percent, as printed; costs
    of the paper are in millions, as printed. Rows without records have empty cells.

    Args:
        rows: The table's rows.
        results: The table's records.
        seed_spread: Of top-1, see `experiments.report.seed_spread`.
        metrics: "top1", "top5".
        counted: Whether to show costs.
    """
    costs = COSTS if counted else ()
    lines = [
        {
            "network": row.network.label,
            **_printed(row, metrics, "percent"),
            **_printed(row, costs, "millions"),
            **{name: row.cost(name) for name in costs},
            **_of_records(row, results, seed_spread, metrics),
            "network_key": row.network.key,
        }
        for row in rows
    ]
    kept = [
        name
        for name in lines[0]
        if not name.startswith("paper_") or any(line[name] for line in lines)
    ]
    return Sheet(kept, [[line[name] for name in kept] for line in lines])


def _printed(row, names, unit):
    return {f"paper_{name}_{unit}": getattr(row.published, name) for name in names}


def _of_records(row, results, seed_spread, metrics):
    chosen = select(row, results)
    first = chosen[0] if chosen else {}
    cells = {
        "input_side": first.get("cost", {}).get("side"),
        "seeds": len(chosen) if row.trained else None,
    }
    for name in metrics:
        seeds = values(row, results, name)
        cells[f"{name}_mean"] = table.mean(seeds)
        cells[f"{name}_standard_deviation"] = table.spread(seeds)
        cells[f"{name}_per_seed"] = " ".join(map(repr, seeds))
    sizes = values(row, results, "size_bytes")
    if any("size_bytes" in record["metrics"] for record in results):
        cells["file_bytes"] = table.mean(sizes)
    tolerance = tolerance_points(cells["top1_mean"], seed_spread) if chosen else None
    cells["top1_tolerance"] = tolerance and tolerance / 100
    minutes = [record["seconds"] / 60 for record in chosen]
    cells["minutes"] = round(table.mean(minutes), 1) if minutes else None
    for name in ("device", "precision", "commit"):
        cells[name] = "; ".join(sorted({record[name] or "" for record in chosen}))
    return cells


def _plain(cell):
    """A cell for programs."""
    if cell in (None, "–"):
        return ""
    if isinstance(cell, str) and _THOUSANDS.fullmatch(cell):
        return cell.replace(",", "")
    return cell
