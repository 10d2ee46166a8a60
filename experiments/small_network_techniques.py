"""The techniques for small networks, one by one: each off and on at one budget.

    python -m experiments.small_network_techniques

Papers: arXiv 1704.04861; arXiv 1602.07360, section 3.1; arXiv 1707.01083, section 3.1.
A small MobileNet, alpha 0.25, with each technique off and on, at the same recipe,
epochs and input side; compression adds its fine-tuning. Below the accuracies stands
what small size saves in deployment, for networks of ImageNet size.
Expected: each technique loses little, as the claims say in numbers.
Time and accuracies of the committed records: experiments/results.
"""

import functools

import keras

import mobilenet_tf
from experiments.compressed_mobilenets import CHAINS
from experiments.distillation import DISTILLED
from experiments.harness import Claim, Experiment, Network, Row, run
from experiments.harness.page import Part
from experiments.report.claims import loses_less_than, rising
from experiments.report.deployment import REMARK, deployment_costs
from mobilenet_tf.analysis import cost
from mobilenet_tf.analysis.deferred import without_weights
from mobilenet_tf.models import baselines, blocks
from mobilenet_tf.models.mobilenet import BLOCKS

SMALL = {"alpha": 0.25}


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
        "off, alpha 0.5": {"alpha": 0.5},
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
# Techniques of training instead of architecture: the arguments of `Network`.
TRAININGS = {
    "distillation": {
        "off, labels alone": {},
        "on, MobileNet 1.0 as teacher": {"teacher": DISTILLED},
    },
    "compression": {
        "off": {},
        "on, 75 % pruned, 16 values": {"steps": CHAINS["prune 75 %, cluster 16"]},
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


def rows(technique: str) -> tuple[Row, ...]:
    """A row for each setting of a technique."""
    if technique in TECHNIQUES:
        settings = {
            setting: Network(f"{technique}: {setting}", mobilenet_tf.build, arguments)
            for setting, arguments in TECHNIQUES[technique].items()
        }
    else:
        settings = {
            setting: Network(
                f"{technique}: {setting}", mobilenet_tf.build, SMALL, **how
            )
            for setting, how in TRAININGS[technique].items()
        }
    return tuple(Row(network) for network in settings.values())


ROWS = {technique: rows(technique) for technique in (*TECHNIQUES, *TRAININGS)}


def savings() -> list[Part]:
    """What size saves, for each architecture; then the saving of one layer, derived."""
    small = Network("0.25 MobileNet", mobilenet_tf.build, SMALL)
    networks = {small.key: small}
    for technique in TECHNIQUES:
        for row in ROWS[technique]:
            networks.setdefault(row.network.key, row.network)

    def count():
        models = {network.label: network.model() for network in networks.values()}
        models |= {label: build() for label, build in OTHERS.items()}
        return [deployment_costs(models), derivation()]

    return without_weights(count)


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


# What the papers claim about each technique.
CLAIMS = (
    Claim(
        "fully connected layers can go at a loss of less than two points",
        loses_less_than(2),
        ROWS["no fully connected layers"],
    ),
    Claim(
        "half of the 3x3 filters can become 1x1 at a loss of less than two points",
        loses_less_than(2),
        ROWS["kernel reduction"],
    ),
    Claim(
        "half of the channels cost less than five points",
        loses_less_than(5),
        ROWS["channel reduction"],
    ),
    Claim(
        "the later the down-sampling, the better, at more mult-adds each time",
        rising,
        ROWS["down-sampling"],
    ),
    Claim(
        "depthwise separable convolutions lose less than two points",
        loses_less_than(2),
        ROWS["depthwise separable"],
    ),
    Claim(
        "groups are better with their channels shuffled",
        lambda ungrouped, groups, shuffled: shuffled.mean > groups.mean,
        ROWS["shuffle operations"],
    ),
    Claim("a teacher is better than labels alone", rising, ROWS["distillation"]),
    Claim(
        "compression loses less than two points",
        loses_less_than(2),
        ROWS["compression"],
    ),
)

experiment = Experiment(
    name="small_network_techniques",
    title="Techniques for small networks, each off and on",
    rows=tuple(row for rows in ROWS.values() for row in rows),
    appendix=savings,
    claims=CLAIMS,
    paper_data=None,
    remark=f"{REMARK} All for 1000 classes at 224 px, SqueezeNet and AlexNet at 227, "
    "Inception V3 at 299. SqueezeNet's channel reduction, fewer channels before 3x3 "
    "filters, is Figure 3a.",
)

if __name__ == "__main__":
    run(experiment)
