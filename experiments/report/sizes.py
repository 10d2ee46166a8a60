"""The table of compressed networks: bytes in a file, and the accuracy they keep."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from experiments.trials.row import Row, select, values
from mobilenet_tf.analysis import table

_THAN_ALEXNET = "x smaller than AlexNet"


def compressed(rows: Sequence[Row], results: Sequence[dict]) -> str:
    """Float32 size, size in a file, and accuracy before and after, as Markdown.

    A row without steps of compression is the network that others begin with, in
    float32. Megabytes are 10**6 bytes.
    """
    columns = []
    printed = any(row.published.size for row in rows)
    if printed:
        columns += _paper_columns(rows)
    before = [_before(row, results) for row in rows]
    after = [values(row, results) for row in rows]
    whole = [_float32(row, results) for row in rows]
    files = [size_bytes(row, results) for row in rows]
    columns += [
        ("MB float32", map(_megabytes, whole)),
        ("MB file", map(_megabytes, files)),
        (
            "x smaller than float32",
            [_ratio(*pair) for pair in zip(whole, files, strict=True)],
        ),
        *([(_THAN_ALEXNET, [_ratio(whole[0], size) for size in files])] * printed),
        ("Top-1 % before", [table.percent(table.mean(seeds)) for seeds in before]),
        ("Top-1 % after", [table.percent(table.mean(seeds)) for seeds in after]),
        ("±", [table.percent(table.spread(seeds)) for seeds in after]),
        ("Seeds", [str(len(seeds)) for seeds in after]),
    ]
    titles, cells = zip(*columns, strict=True)
    labels = [row.network.label for row in rows]
    return table.render(
        ("Network", *titles), list(zip(labels, *map(list, cells), strict=True))
    )


def size_bytes(row: Row, results: Sequence[dict]) -> float | None:
    """Bytes of a row's file, the mean over its seeds.

    Of float32 weights if the row has no compression step; None without records.
    """
    if not row.network.steps:
        return _float32(row, results) if select(row, results) else None
    sizes = values(row, results, "size_bytes")
    return table.mean(sizes)


def pareto_front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of points `(size, accuracy)`, those that no other point dominates.

    A point dominates another one if it is not larger, not less accurate, and differs.
    """
    return [
        (size, accuracy)
        for size, accuracy in points
        if not any(
            other != (size, accuracy) and other[0] <= size and other[1] >= accuracy
            for other in points
        )
    ]


def _float32(row, results):
    records = select(_uncompressed(row), results)
    if not records:
        return None
    cost, data = records[0].get("cost", {}), records[0]["data"]
    if "float32_bytes" in cost:
        return cost["float32_bytes"]
    size = len(data["class_names"]), data["base_resolution"]
    return row.network.costs(*size)["float32_bytes"]


def _before(row, results):
    """Accuracies before compression, of the seeds that were compressed."""
    seeds = {record["seed"] for record in select(row, results)}
    same = [record for record in results if record["seed"] in seeds]
    return values(_uncompressed(row), same)


def _uncompressed(row):
    """The row of the network before any compression step."""
    return dataclasses.replace(row, network=row.network.uncompressed)


def _paper_columns(rows):
    published = [row.published for row in rows]
    first = published[0].size
    small = [row.compressed_size or row.size for row in published]
    return [
        ("Paper MB", [table.number(row.size) for row in published]),
        (
            "Paper MB compressed",
            [table.number(row.compressed_size) for row in published],
        ),
        (
            f"Paper {_THAN_ALEXNET}",
            [f"{first / size:.0f}" if size else "–" for size in small],
        ),
        ("Paper top-1 %", [table.points(row.top1) for row in published]),
    ]


def _megabytes(size):
    return "–" if size is None else f"{size / 1e6:.3f}"


def _ratio(whole, part):
    return "–" if None in (whole, part) else f"{whole / part:.1f}"
