"""The table of what small size saves: bytes that travel, memory on chip, energy."""

from __future__ import annotations

from collections.abc import Mapping

import keras

from experiments.report.sheet import Sheet
from mobilenet_tf.analysis import footprint

COLUMNS = (
    "Network",
    "MB sent per step",
    "MB of an update",
    "in int8",
    "On chip",
    "in int8",
    "mJ per image",
    "in int8",
)
REMARK = (
    "Sent per step: by each of 8 workers in a ring all-reduce of float32 gradients. On "
    "chip: whether the parameters fit 10 MB. Energy: arithmetic at the energies per "
    "operation of 45 nm (Horowitz, ISSCC 2014), memory traffic at those of the EIE "
    "paper (arXiv 1602.01528, table 1), where on-chip memory is a bank of 32 KB: what "
    "fits 10 MB is taken as spread over such banks."
)


def deployment_costs(models: Mapping[str, keras.Model]) -> Sheet:
    """A row per network; `REMARK` says how it is counted.

    Args:
        models: The networks by their labels.
    """
    rows = [_row(*entry) for entry in models.items()]
    return Sheet(COLUMNS, rows, "deployment")


def _row(label, model):
    sizes = (
        footprint.all_reduce_bytes(model),
        footprint.update_bytes(model),
        footprint.update_bytes(model, 8),
    )
    bits = (32, 8)
    return (
        label,
        *(f"{size / 1e6:.2f}" for size in sizes),
        *("yes" if footprint.fits_on_chip(model, width) else "no" for width in bits),
        *(f"{1e3 * footprint.energy_joules(model, width):.3g}" for width in bits),
    )
