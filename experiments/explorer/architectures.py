"""The architecture of a record's network: rebuilt from its arguments, and counted."""

from __future__ import annotations

import dataclasses
import importlib
import math
from collections.abc import Callable, Mapping
from typing import Any

import keras

from experiments.trials.network import Network
from mobilenet_tf.analysis import activations, cost
from mobilenet_tf.analysis.deferred import without_weights
from mobilenet_tf.models import blocks

_BUILDERS = "mobilenet_tf.models."  # no record makes us import anything else
_COUNTED: dict[tuple, Architecture] = {}


@dataclasses.dataclass(frozen=True)
class Layer:
    """What a layer with weights costs.

    Attributes:
        name: Of the Keras layer.
        kind: See `mobilenet_tf.analysis.cost.LayerCost`.
        mult_adds: Per image.
        weights: Entries of its kernel.
        activations: Entries of its output.
    """

    name: str
    kind: str
    mult_adds: int
    weights: int
    activations: int


@dataclasses.dataclass(frozen=True)
class Architecture:
    """What is counted from a network's graph.

    Attributes:
        mult_adds: Per image.
        float32_bytes: Of all weights.
        layers: Those with weights, in order.
        arena_bytes: Estimate for int8 on a microcontroller.
    """

    mult_adds: int
    float32_bytes: int
    layers: tuple[Layer, ...]
    arena_bytes: int


def builder(network: Mapping[str, Any]) -> Callable[..., keras.Model] | None:
    """The function that built a record's network; None where the library has none."""
    module, _, name = network["builder"].rpartition(".")
    if not module.startswith(_BUILDERS):
        return None
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        return None


def rebuilt(network: Mapping[str, Any]) -> Network | None:
    """A record's network without pre-trained weights, teacher and steps.

    None where the library does not have its builder or its block any more.
    """
    build = builder(network)
    arguments = {key: v for key, v in network["arguments"].items() if key != "weights"}
    if build is None:
        return None
    if isinstance(arguments.get("block"), str):
        try:
            arguments["block"] = getattr(blocks, arguments["block"])
        except AttributeError:
            return None
    return Network("", build, arguments)


def counted(network: Network, classes: int, base_resolution: int) -> Architecture:
    """Count a network for a data set; equal ones are counted once."""
    key = network.key, classes, base_resolution
    if key not in _COUNTED:
        _COUNTED[key] = without_weights(
            lambda: _count(network.model(classes, base_resolution))
        )
    return _COUNTED[key]


def _count(model: keras.Model) -> Architecture:
    layers = tuple(
        Layer(
            layer.name,
            layer.kind,
            layer.mult_adds,
            layer.weights,
            math.prod(layer.output_shape),
        )
        for layer in cost.per_layer(model)
        if layer.weights
    )
    estimate = activations.estimate_arena(model)
    return Architecture(
        cost.mult_adds(model), 4 * model.count_params(), layers, estimate.arena_bytes
    )
