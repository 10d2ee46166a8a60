"""Bytes of whole networks by their parameters alone, without weights."""

from __future__ import annotations

import dataclasses
import math

import mobilenet_tf
from mobilenet_tf.analysis.deferred import without_weights
from mobilenet_tf.models import baselines, graph

NETWORKS = {
    "MobileNet 1.0": mobilenet_tf.build,
    "MobileNet 0.25": lambda: mobilenet_tf.build(0.25),
    "SqueezeNet 1.0": mobilenet_tf.build_squeezenet,
    "AlexNet": baselines.alexnet,
}


@dataclasses.dataclass(frozen=True)
class FileCost:
    """Bytes of a network before entropy coding.

    Attributes:
        name: The network.
        float32_bytes: Four bytes a parameter.
        int8_bytes: One byte for each weight of a kernel, four for all others.
        classifier_bytes: Those of `int8_bytes` that are the classifier's.
    """

    name: str
    float32_bytes: int
    int8_bytes: int
    classifier_bytes: int


def whole_files() -> list[FileCost]:
    """The costs of the networks of both papers, with 1000 classes."""
    return [without_weights(lambda n=name: _cost(n)) for name in NETWORKS]


def _cost(name):
    model = NETWORKS[name]()
    head = graph.head(model).layer
    return FileCost(
        name,
        4 * model.count_params(),
        _int8_bytes(model.weights),
        _int8_bytes(head.weights),
    )


def _int8_bytes(weights):
    sizes = ((weight.ndim, math.prod(weight.shape)) for weight in weights)
    return sum(size if ndim > 1 else 4 * size for ndim, size in sizes)
