"""What others published: the papers' points, and latencies and memory of devices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mobilenet_tf
from experiments.explorer import architectures, knobs
from experiments.explorer.scripts import published_rows
from experiments.published import boards, latencies, tinyml
from experiments.report.arenas import Footprint
from experiments.report.microcontrollers import PROGRAM_FLASH, PROGRAM_SRAM
from experiments.trials.network import Network

# The network of ncnn's latencies.
_SQUEEZENET = Network(
    "SqueezeNet 1.1", mobilenet_tf.build_squeezenet, {"version": "1.1"}, 227
)


def points() -> list[dict[str, Any]]:
    """The papers' ImageNet accuracies, each with costs counted for 1000 classes."""
    unique: dict[tuple, dict[str, Any]] = {}
    for _, row in published_rows():
        network, published = row.network, row.published
        if network.steps:
            continue  # no exact size in bytes is printed for compressed networks
        config, costs = network.config, network.costs()
        point = {
            "label": published.label,
            "table": published.table,
            "top1": round(published.top1 / 100, 5),
            "network": knobs.family(config),
            "alpha": config["arguments"].get("alpha"),
            "rho": config["arguments"].get("rho"),
            "note": published.note,
            "costs": {
                "mult_adds": row.cost("mult_adds"),
                "parameters": costs["parameters"],
                "file_bytes": costs["float32_bytes"],
            },
        }
        unique.setdefault((network.key, published.top1), point)
    return list(unique.values())


def latency_lists(footprints: Sequence[Footprint]) -> list[dict[str, Any]]:
    """Published latencies: lists of devices, with the mult-adds of what was run.

    Args:
        footprints: Records of microcontrollers; the boards' latencies are of the
            network of visual wake words among them.
    """
    mobilenet = _mult_adds(Network("MobileNet", mobilenet_tf.build))
    squeezenet = _mult_adds(_SQUEEZENET)
    phones: list[list[Any]] = []  # name, and the times of both networks
    for row in latencies.LATENCIES:
        threads = f"{row.threads} thread" + "s" * (row.threads > 1)
        for kind, of_mobilenet, of_squeezenet in (
            ("float32", row.mobilenet, row.squeezenet),
            ("int8", row.mobilenet_int8, row.squeezenet_int8),
        ):
            if of_mobilenet is None and of_squeezenet is None:
                continue
            name = f"{row.device}, {row.unit}, {threads}, {kind}"
            phones.append([name, of_mobilenet, of_squeezenet])
    costs = {"MobileNet": mobilenet, "SqueezeNet": squeezenet}
    lists = [{"source": latencies.SOURCE, "mult_adds": costs, "devices": phones}]
    wake_words = [row for row in footprints if row.classes == 2]
    for submission in tinyml.SUBMISSIONS if wake_words else ():
        vendor = submission.path.split("/")[1]
        name = f"{submission.board}, MLPerf Tiny v{submission.version}, {vendor}"
        board = [name, submission.milliseconds]
        costs = {"MobileNet": wake_words[0].mult_adds}
        lists.append(
            {"source": submission.path, "mult_adds": costs, "devices": [board]}
        )
    return lists


def memory() -> list[dict[str, Any]]:
    """Boards, and what they leave to a network."""
    return [
        {
            "name": board.name,
            "chip": board.chip,
            "arena_bytes": board.sram_bytes - PROGRAM_SRAM,
            "flash_bytes": board.flash_bytes - PROGRAM_FLASH,
            "source": board.source,
        }
        for board in boards.BOARDS
    ]


def _mult_adds(network: Network) -> int:
    return architectures.counted(network, 1000, network.resolution).mult_adds
