"""The techniques for small networks, one by one: each off and on at one budget.

    python -m experiments.small_network_techniques

trains a small MobileNet, alpha 0.25, with each technique off and on, on the embedded
data set; same recipe, epochs and input side throughout, but that compression goes on
training what it compresses. Below the accuracies stands
what small size buys on the ImageNet-sized networks.

Time, device and expected values of the committed records: experiments/results.
Sources: arXiv 1704.04861; arXiv 1602.07360, section 3.1; arXiv 1707.01083, section 3.1.
"""

import functools

import keras

import mobilenet_tf
from experiments.compressed_mobilenets import CHAINS
from experiments.distillation import DISTILLED
from experiments.harness import Conclusion, Experiment, Network, Row
from experiments.report.claims import loses_less_than
from experiments.report.footprints import REMARK, footprints
from mobilenet_tf.analysis import cost
from mobilenet_tf.models import baselines, blocks
from mobilenet_tf.models.mobilenet import BLOCKS

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
        "on, the classifier alone": SMALL,
    },
    "kernel reduction": {
        "off, 3x3": {**SMALL, "block": blocks.full_convolution},
        "on, half of them 1x1": {**SMALL, "block": blocks.half_pointwise},
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
        "off, 3x3": {**SMALL, "block": blocks.full_convolution},
        "on": SMALL,
    },
    "shuffle operations": {
        "off, 1x1 not in groups": SMALL,
        "4 groups, not shuffled": {**SMALL, "block": blocks.grouped_separable},
        "on, 4 groups, shuffled": {**SMALL, "block": blocks.shuffled_separable},
    },
}
# What needs more than another network.
TRAININGS = {
    "distillation: off, labels alone": {},
    "distillation: on, MobileNet 1.0 as teacher": {"teacher": DISTILLED},
    "compression: off": {},
    "compression: on, 75 % pruned, 16 values": {
        "steps": CHAINS["prune 75 %, cluster 16"]
    },
}
# For the costs alone, beside the small network.
OTHERS = {
    "1 MobileNet": mobilenet_tf.build,
    "SqueezeNet 1.0": mobilenet_tf.build_squeezenet,
    "SqueezeNet 1.1": functools.partial(mobilenet_tf.build_squeezenet, "1.1"),
    "AlexNet": baselines.alexnet,
    "GoogLeNet": baselines.googlenet,
    "VGG 16": baselines.vgg16,
    "Inception V3": baselines.inception_v3,
}


def rows() -> tuple[Row, ...]:
    """A row per setting."""
    settings = [
        Row(Network(f"{technique}: {setting}", mobilenet_tf.build, arguments))
        for technique, choices in TECHNIQUES.items()
        for setting, arguments in choices.items()
    ]
    trainings = [
        Row(Network(label, mobilenet_tf.build, SMALL, **how))
        for label, how in TRAININGS.items()
    ]
    return (*settings, *trainings)


def savings(rows: tuple[Row, ...]) -> str:
    """What size buys, each network once; then the saving of one layer, derived."""
    networks = {str(SMALL): Network("0.25 MobileNet", mobilenet_tf.build, SMALL)}
    for row in rows:
        networks.setdefault(str(row.network.arguments), row.network)
    models = {network.label: network.model() for network in networks.values()}
    models |= {label: build() for label, build in OTHERS.items()}
    return f"{footprints(models)}\n\n{derivation()}"


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


_PAIR = (blocks.full_convolution, blocks.depthwise_separable)


def _layer(block, channels):
    images = keras.Input((14, 14, channels))
    return keras.Model(images, block(images, channels, name="layer"))


# What the sources conclude from each technique.
CONCLUSIONS = (
    Conclusion(
        "fully connected layers can go at a loss of less than two points",
        loses_less_than(2),
        about="^no fully connected layers",
    ),
    Conclusion(
        "half of the 3x3 filters can become 1x1 at a loss of less than two points",
        loses_less_than(2),
        about="^kernel reduction",
    ),
    Conclusion(
        "half of the channels cost less than five points",
        loses_less_than(5),
        about="^channel reduction",
    ),
    Conclusion(
        "the later the down-sampling, the better, at more mult-adds each time",
        lambda early, evenly, late: late > evenly > early,
        about="^down-sampling",
    ),
    Conclusion(
        "depthwise separable convolutions lose less than two points",
        loses_less_than(2),
        about="^depthwise separable",
    ),
    Conclusion(
        "groups are better with their channels shuffled",
        lambda off, groups, shuffled: shuffled > groups,
        about="^shuffle operations",
    ),
    Conclusion(
        "a teacher is better than labels alone",
        lambda off, on: on > off,
        about="^distillation",
    ),
    Conclusion(
        "compression loses less than two points",
        loses_less_than(2),
        about="^compression",
    ),
)

experiment = Experiment(
    name="small_network_techniques",
    title="Techniques for small networks, each off and on",
    rows=rows,
    appendix=savings,
    conclusions=CONCLUSIONS,
    paper_data=None,
    remark=f"{REMARK} All for 1000 classes at 224 px, SqueezeNet and AlexNet at 227, "
    "Inception V3 at 299. SqueezeNet's channel reduction, fewer channels before 3x3 "
    "filters, is Figure 3a.",
)

if __name__ == "__main__":
    experiment()
