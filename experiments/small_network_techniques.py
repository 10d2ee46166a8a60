"""The techniques for small networks, one by one: each off and on at one budget.

    python -m experiments.small_network_techniques

trains a small MobileNet, alpha 0.25, with each technique off and on, on the embedded
data set; same recipe, epochs and input side throughout. Below the accuracies stands
what small size buys on the ImageNet-sized networks.

Time, device and expected values of the committed records: experiments/results.
Sources: arXiv 1704.04861; arXiv 1602.07360, section 3.1; arXiv 1707.01083, section 3.1.
"""

import keras

import mobilenet_tf
from mobilenet_tf import cost, footprint, layers
from mobilenet_tf.experiment import Experiment, Network, Row
from mobilenet_tf.mobilenet import BLOCKS
from mobilenet_tf.reporting import table

SMALL = {"alpha": 0.25, "rho": 1.0}


def strided(*strided_blocks: int) -> list[tuple[int, int]]:
    """Table 1's filters, with stride 2 in the given blocks, counted from 1."""
    return [
        (filters, 2 if index in strided_blocks else 1)
        for index, (filters, _) in enumerate(BLOCKS, start=1)
    ]


TECHNIQUES = {
    "no fully connected layers": {
        "off, two of 1024 units": {**SMALL, "hidden_units": (1024, 1024)},
        "on": SMALL,
    },
    "kernel reduction": {
        "off, 3x3": {**SMALL, "block": layers.full_convolution},
        "on, half of them 1x1": {**SMALL, "block": layers.half_pointwise},
    },
    "channel reduction": {
        "off, alpha 0.5": {"alpha": 0.5, "rho": 1.0},
        "on, alpha 0.25": SMALL,
    },
    "down-sampling": {
        "early": {**SMALL, "blocks": strided(1, 2, 3, 4)},
        "evenly, as Table 1": SMALL,
        "late": {**SMALL, "blocks": strided(4, 8, 10, 12)},
    },
    "depthwise separable": {
        "off, 3x3": {**SMALL, "block": layers.full_convolution},
        "on": SMALL,
    },
    "shuffle operations": {
        "off, 1x1 not in groups": SMALL,
        "4 groups, not shuffled": {**SMALL, "block": layers.grouped_separable},
        "on, 4 groups, shuffled": {**SMALL, "block": layers.shuffled_separable},
    },
}
LATER = ("distillation", "compression")  # need more than another network


def rows() -> tuple[Row, ...]:
    """A row per setting; those that are left open at the end."""
    settings = [
        Row(Network(f"{technique}: {setting}", mobilenet_tf.build, arguments))
        for technique, choices in TECHNIQUES.items()
        for setting, arguments in choices.items()
    ]
    open_rows = [
        Row(Network(f"{name}: not yet", mobilenet_tf.build, SMALL), trained=False)
        for name in LATER
    ]
    return (*settings, *open_rows)


def savings(rows: tuple[Row, ...]) -> str:
    """What size buys, for each network once; then the saving of one layer, derived."""
    cells = {}
    for row in rows:
        model = row.network.model()
        cells.setdefault(
            str(row.network.identity),
            (
                row.network.label,
                f"{footprint.all_reduce_bytes(model) / 1e6:.2f}",
                f"{footprint.update_bytes(model) / 1e6:.2f}",
                f"{footprint.update_bytes(model, 8) / 1e6:.2f}",
                *(
                    "yes" if footprint.fits_on_chip(model, bits) else "no"
                    for bits in (32, 8)
                ),
                *(
                    f"{1e3 * footprint.energy_joules(model, bits):.2f}"
                    for bits in (32, 8)
                ),
            ),
        )
    columns = (
        "Network",
        "MB sent per step",
        "MB of an update",
        "in int8",
        "On chip",
        "in int8",
        "mJ per image",
        "in int8",
    )
    return f"{table.render(columns, list(cells.values()))}\n\n{derivation()}"


def derivation() -> str:
    """The saving of a depthwise separable convolution, counted on two layers."""
    small = [_layer(block, 3) for block in _PAIR]
    wide = [cost.mult_adds(_layer(block, 512)) for block in _PAIR]
    standard, separable = map(cost.parameters, small)
    return (
        f"A 3x3 convolution from 3 to 3 channels has 3·3·3·3 = {standard} weights, the "
        f"depthwise separable one 3·3·3 + 3·3 = {separable}. With N filters it costs "
        f"1/N + 1/9 of the standard one, {wide[0] / wide[1]:.1f} times less at N = 512."
    )


_PAIR = (layers.full_convolution, layers.depthwise_separable)


def _layer(block, channels):
    images = keras.Input((14, 14, channels))
    return keras.Model(images, block(images, channels, name="layer"))


experiment = Experiment(
    name="small_network_techniques",
    title="Techniques for small networks, each off and on",
    rows=rows,
    appendix=savings,
    paper_data=None,
    remark="Sent per step: by each of 8 workers in a ring all-reduce of float32 "
    "gradients. On chip: whether the parameters fit 10 MB. Energy: arithmetic and "
    "memory traffic at the energies per operation of 45 nm (Horowitz, ISSCC 2014). All "
    "for 1000 classes at 224 px. Distillation and compression are left open.",
)

if __name__ == "__main__":
    experiment()
