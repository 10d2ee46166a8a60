"""Tables of updates, from their records."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from experiments.report.sheet import Sheet
from experiments.updates import costs
from mobilenet_tf.analysis import table

OURS = "codec.delta"


def smallest_other(record: dict) -> int:
    """Bytes of the smallest way but ours, the whole new file among them."""
    ways = (found["bytes"] for way, found in record["ways"].items() if way != OURS)
    return min(record["file_bytes"], *ways)


def quantized(records: list[dict]) -> Sheet:
    """Bytes of each way, and accuracy, of networks that go from float32 to 8 bits."""
    rows = [
        (
            record["network"].replace("_", " "),
            record["file"],
            table.percent(record["top1_before"]),
            table.percent(record["top1"]),
            f"{record['float32_bytes']:,}",
            f"{record['file_bytes']:,}",
            *(f"{way['bytes']:,}" for way in record["ways"].values()),
            f"{100 * record['ways'][OURS]['bytes'] / smallest_other(record):.1f}",
        )
        for record in records
    ]
    columns = ("Network", "Format", "Top-1 % in float32", "in 8 bits")
    columns = (*columns, "Old file", "New file", *records[0]["ways"])
    return Sheet((*columns, "% of the smallest other"), rows, "to_8_bits")


def sizes(records: list[dict], name: str) -> Sheet:
    """Bytes of each way, by network and training, with the accuracy."""
    rows = []
    for record in records:
        ways = {way: found["bytes"] for way, found in record["ways"].items()}
        rows.append(
            (
                record["network"].replace("_", " "),
                record["form"],
                record["training"],
                table.percent(record["top1_not_updated"]),
                table.percent(record["top1"]),
                f"{record['float32_bytes']:,}",
                f"{record['file_bytes']:,}",
                *(f"{size:,}" for size in ways.values()),
                f"{100 * ways[OURS] / smallest_other(record):.1f}",
            )
        )
    columns = ("Network", "Form", "Training", "Top-1 % not updated", "updated")
    columns = (*columns, "Float32", "File")
    ways = tuple(records[0]["ways"])
    return Sheet((*columns, *ways, "% of the smallest other"), rows, name)


def seconds(records: Iterable[dict]) -> Sheet:
    """Seconds to write and to apply each way: medians over the updates of a file."""
    groups: dict[tuple[str, str], list[dict]] = {}
    for record in records:
        form = record.get("form") or f"{record['file']}, float32 to 8 bits"
        place = record["network"].replace("_", " "), form
        groups.setdefault(place, []).append(record["ways"])
    rows = []
    for place, updates in groups.items():
        cells = (
            f"{statistics.median(own[way][step] for own in updates):.{digits}f}"
            for way in updates[0]
            for step, digits in (("diff_seconds", 3), ("apply_seconds", 4))
        )
        rows.append((*place, len(updates), *cells))
    ways = next(iter(groups.values()))[0]
    titles = (f"{way} {step}" for way in ways for step in ("written", "applied"))
    return Sheet(("Network", "Form or file", "Updates", *titles), rows, "seconds")


def by_cost() -> Sheet:
    """Bytes of whole networks, and of what changes with the classifier alone."""
    rows = [
        (
            cost.name,
            f"{cost.float32_bytes:,}",
            f"{cost.int8_bytes:,}",
            f"{cost.classifier_bytes:,}",
            f"{100 * cost.classifier_bytes / cost.int8_bytes:.1f}",
        )
        for cost in costs.whole_files()
    ]
    columns = ("Network", "Float32", "8 bits", "Classifier in 8 bits")
    return Sheet((*columns, "% of the file"), rows, "by_cost")
