"""What the records say about a network's costs, and what is added to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.explorer import knobs
from experiments.explorer.architectures import Architecture
from experiments.report.arenas import Footprint

# What a record may say about a network's costs, and what is added to it.
COSTS = {
    "mult_adds": ("Mult-adds", "M"),
    "parameters": ("Parameters", "M"),
    "file_bytes": ("File size", "bytes"),
    "flash_bytes": ("int8 file size", "bytes"),
    "arena_bytes": ("int8 arena", "bytes"),
    "milliseconds": ("Time per image", "ms"),
}


def costs_of(
    seeds: Sequence[Mapping[str, Any]],
    shape: Architecture | None,
    footprints: Sequence[Footprint],
) -> tuple[dict[str, int], list[str]]:
    """The costs of a network by their key, and which of them are estimates.

    Args:
        seeds: Records that differ in the seed alone.
        shape: The network's layers, where its steps left them as they were built.
        footprints: What was measured on microcontrollers.
    """
    record = seeds[0]
    costs = {name: record["cost"][name] for name in ("mult_adds", "parameters")}
    sizes = [other["metrics"].get("size_bytes") for other in seeds]
    if None not in sizes:
        costs["file_bytes"] = round(sum(sizes) / len(sizes))
    elif "float32_bytes" in record["cost"]:
        costs["file_bytes"] = record["cost"]["float32_bytes"]
    elif shape is not None:
        costs["file_bytes"] = shape.float32_bytes  # early records leave it out
    footprint = _footprint(record, footprints) if shape is not None else None
    if footprint is not None:
        costs["arena_bytes"] = footprint.arena_bytes
        costs["flash_bytes"] = footprint.flash_bytes
        return costs, []
    if shape is not None:
        costs["arena_bytes"] = shape.arena_bytes
        return costs, ["arena_bytes"]
    return costs, []


def _footprint(
    record: Mapping[str, Any], footprints: Sequence[Footprint]
) -> Footprint | None:
    """What was measured of the same network on a microcontroller, if it was."""
    for footprint in footprints:
        if (
            footprint.network == knobs.family(record["network"])
            and footprint.side == record["cost"]["side"]
            and footprint.classes == len(record["data"]["class_names"])
            and footprint.mult_adds == record["cost"]["mult_adds"]
        ):
            return footprint
    return None
