"""The table that compares a paper's rows with ours, and the sentence below it.

Accuracy on another data set is never subtracted from the paper's: what is compared is
the order, and the drop from the first row. Costs are compared exactly.
"""

from __future__ import annotations

from collections.abc import Sequence

from mobilenet_tf import cost
from mobilenet_tf.reporting import table
from mobilenet_tf.reporting.rows import Row, select, top1s

# For another seed or processor: three standard deviations over the seeds, and at least
# what counting on some thousand images leaves open.
MIN_TOLERANCE_POINTS = 2.0

_COST_COLUMNS = ("Paper M mult-adds", "Exact", "Paper M params", "Exact")


def costs(rows: Sequence[Row]) -> str:
    """Exact costs at ImageNet size beside the printed ones, as Markdown."""
    cells = []
    for row in rows:
        model = row.network.model()
        side = f"{model.input_shape[1]} px"
        cells.append((row.network.label, side, *_costs(row, model)))
    return table.render(("Network", "Input", *_COST_COLUMNS), cells)


def accuracies(rows: Sequence[Row], results: list[dict]) -> str:
    """The paper's columns and ours, as Markdown."""
    columns = (
        "Network",
        "Paper top-1 %",
        "Drop",
        *_COST_COLUMNS,
        "Trained at",
        "Our top-1 %",
        "±",
        "Seeds",
        "Drop",
    )
    first_paper = rows[0].published.top1
    first_ours = table.mean(top1s(rows[0].network, results))
    cells = []
    for row in rows:
        found = select(row.network, results)
        values = top1s(row.network, results)
        ours = table.mean(values)
        drop = None if None in (ours, first_ours) else first_ours - ours
        cells.append(
            (
                row.network.label,
                f"{row.published.top1:.1f}",
                f"{first_paper - row.published.top1:.1f}",
                *_costs(row, row.network.model()),
                f"{found[0]['cost']['side']} px" if found else "–",
                table.percent(ours),
                table.percent(table.spread(values)),
                str(len(values)),
                table.percent(drop),
            )
        )
    return table.render(columns, cells)


def expectations(rows: Sequence[Row], results: list[dict]) -> str:
    """What a repetition should find, and how long it takes, as Markdown."""
    columns = ("Network", "Top-1 %", "Tolerance", "Minutes", "Device")
    cells = []
    for row in rows:
        found = select(row.network, results)
        if not found:
            continue
        minutes = table.mean([record["seconds"] / 60 for record in found])
        values = top1s(row.network, results)
        spread = 100 * (table.spread(values) or 0.0)
        cells.append(
            (
                row.network.label,
                table.percent(table.mean(values)),
                f"± {max(MIN_TOLERANCE_POINTS, 3 * spread):.1f}",
                f"{minutes:.1f}",
                found[0]["device"],
            )
        )
    return table.render(columns, cells)


def footnote(results: list[dict]) -> str:
    """Where our numbers come from, in a sentence or two."""
    first = results[0]
    data, recipe = first["data"], first["recipe"]
    commits = sorted({(record["commit"] or "unknown")[:7] for record in results})
    devices = sorted({record["device"] for record in results})
    minutes = sum(record["seconds"] for record in results) / 60
    return (
        f"Paper: ImageNet. Ours: {data['name']} {data['version']}, "
        f"{data['evaluation_split']} split ({data['evaluation_size']:,} images, "
        f"{len(data['class_names'])} classes), recipe `{recipe['name']}`, "
        f"{recipe['epochs']} epochs; mean and sample standard deviation over the "
        f"seeds. Exact: counted on the network at 224 px base resolution with 1000 "
        f"classes. Trained on {', '.join(devices)} in {minutes:.0f} minutes in all, "
        f"commit {', '.join(commits)}."
    )


def _costs(row, model):
    published = row.published
    return (
        table.number(published.mult_adds),
        table.millions(cost.mult_adds(model, published.includes_classifier)),
        table.number(published.parameters),
        table.millions(cost.parameters(model)),
    )
