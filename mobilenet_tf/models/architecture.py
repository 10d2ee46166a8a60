"""A network of stock Keras layers as plain objects, and back.

`describe` gives the `Architecture` of a model and `build` the model of an architecture.
In between, layers can be changed, replaced or added as values: so networks get fewer
channels, factorised layers or a copy in tf_keras. The codec writes architectures.
"""

from __future__ import annotations

import dataclasses
import itertools
import types
from collections.abc import Mapping
from typing import Any

import keras

from mobilenet_tf.models.layer_schema import (
    ACTIVATIONS,
    SETTINGS,
    check_axis,
    check_settings,
    count_weights,
)

MOST_LAYERS = 2000
MOST_CONNECTIONS = 2 * MOST_LAYERS


class TooLargeError(ValueError):
    """A network of too many layers, connections or weights."""


@dataclasses.dataclass(frozen=True)
class LayerSpec:
    """One layer of an architecture.

    Attributes:
        kind: Its class in `keras.layers`, a key of `layer_schema.SETTINGS`.
        name: Its name, unique in the network.
        inputs: Names of the layers whose outputs it takes, in order; none for an
            input layer.
        settings: Its constructor arguments, all that `SETTINGS` has for its class:
            numbers, truth values, words, None, and lists of them.

    Raises:
        ValueError: The class is unknown, or a setting is missing, unknown or not plain.
    """

    kind: str
    name: str
    inputs: tuple[str, ...]
    settings: Mapping[str, Any]

    def __post_init__(self):
        check_settings(self.kind, self.name, self.settings)

    def with_settings(self, **changed: Any) -> LayerSpec:
        """The same layer with some settings changed."""
        return dataclasses.replace(self, settings={**self.settings, **changed})


@dataclasses.dataclass(frozen=True)
class Architecture:
    """A network: its name and its layers, each after those whose outputs it takes.

    The first layer is the only input, the last layer the output.

    Raises:
        TooLargeError: It has more than 2,000 layers or 4,000 connections.
    """

    name: str
    layers: tuple[LayerSpec, ...]

    def __post_init__(self):
        connections = sum(len(spec.inputs) for spec in self.layers)
        _check_at_most(MOST_LAYERS, len(self.layers), "layers")
        _check_at_most(MOST_CONNECTIONS, connections, "connections")


def describe(model: keras.Model) -> Architecture:
    """The architecture of a network.

    Args:
        model: A flat functional model of one input and one output in float32, of stock
            layers with channels last, each called once;
            `mobilenet_tf.models.graph.flatten` makes one of a nested model.

    Raises:
        ValueError: It is not such a model, or has a layer or a setting that an
            architecture cannot hold.
    """
    if not hasattr(model, "operations"):
        raise ValueError(
            f"model must be functional, got a {type(model).__name__}; keras.Model("
            "model.inputs, model.outputs) makes it so where it is built"
        )
    for name, tensors in (("input", model.inputs), ("output", model.outputs)):
        if len(tensors) != 1:
            raise ValueError(f"model must have one {name}, got {len(tensors)}")
    # Operations without a layer, such as a channel shuffle's, are not among `layers`.
    return Architecture(model.name, tuple(map(_described, model.operations)))


def build(
    architecture: Architecture,
    *,
    framework: types.ModuleType = keras,
    max_weights: int | None = None,
) -> keras.Model:
    """The network of an architecture, with newly initialised weights.

    Args:
        architecture: What is built.
        framework: `keras`, or a module with the same `layers` and `Model`.
        max_weights: The largest number of weights allowed, checked layer by layer
            before they take memory; None allows any.

    Raises:
        TooLargeError: The network has more weights than allowed.
        ValueError: The layers do not form a network.
    """
    tensors: dict[str, Any] = {}
    weights = 0
    for spec in architecture.layers:
        if spec.name in tensors:
            raise ValueError(f"two layers have the name {spec.name!r}")
        layer = getattr(framework.layers, spec.kind)(name=spec.name, **spec.settings)
        inputs = [tensors[name] for name in spec.inputs]
        if inputs:
            expected = count_weights(spec.kind, layer, inputs[0].shape)
            weights += expected
            if max_weights is not None:
                _check_at_most(max_weights, weights, "weights")
            tensors[spec.name] = layer(inputs if len(inputs) > 1 else inputs[0])
            if layer.count_params() != expected:
                raise ValueError(
                    f"layer {spec.name!r} must have {expected:,} weights, got "
                    f"{layer.count_params():,}"
                )
        else:
            tensors[spec.name] = layer.output
    first, last = architecture.layers[0], architecture.layers[-1]
    model = framework.Model(
        tensors[first.name], tensors[last.name], name=architecture.name
    )
    if len(model.layers) != len(architecture.layers):
        raise ValueError("some layers do not lead to the output")
    return model


def difference(first: Architecture, second: Architecture) -> str | None:
    """The first layer in which two architectures differ, names aside; None if none."""
    pairs = itertools.zip_longest(_without_names(first), _without_names(second))
    for layer, other in pairs:
        if layer != other:
            return f"{_summary(layer)} against {_summary(other)}"
    return None


def _without_names(architecture):
    """Of each layer its class, the indices of its inputs, and its settings."""
    indices = {spec.name: index for index, spec in enumerate(architecture.layers)}
    return [
        (spec.kind, [indices[name] for name in spec.inputs], spec.settings)
        for spec in architecture.layers
    ]


def _summary(layer):
    if layer is None:
        return "no layer"
    kind, inputs, settings = layer
    return f"{kind} of layers {inputs} with {settings}"


def _check_at_most(most, count, what):
    if count > most:
        raise TooLargeError(f"a network must have at most {most:,} {what}")


def _described(layer):
    kind = type(layer).__name__
    if kind not in SETTINGS or type(layer) is not getattr(keras.layers, kind):
        raise ValueError(
            f"layer {layer.name!r} is a {kind}; only these can be written, as Keras "
            f"has them: {', '.join(SETTINGS)}"
        )
    if len(layer._inbound_nodes) != 1:
        raise ValueError(
            f"layer {layer.name!r} must be called once, got "
            f"{len(layer._inbound_nodes)} calls"
        )
    (node,) = layer._inbound_nodes
    config = layer.get_config()
    _check_properties(layer, node, config)
    parents = () if node.is_input else node.parent_nodes
    inputs = tuple(parent.operation.name for parent in parents)
    settings = {key: _without_tuples(config[key]) for key in SETTINGS[kind]}
    return LayerSpec(kind, layer.name, inputs, settings)


def _check_properties(layer, node, config):
    """Raise ValueError for properties that are not settings, so would be lost."""
    for what, legal, value in (
        ("dtype", "float32", layer.dtype),
        ("compute_dtype", "float32", layer.compute_dtype),
        ("data_format", "channels_last", config.get("data_format", "channels_last")),
        ("training", False, bool(node.arguments.kwargs.get("training"))),
    ):
        if value != legal:
            raise ValueError(
                f"layer {layer.name!r} must have {what}={legal}, got {value}"
            )
    known = [None, *(getattr(keras.activations, name) for name in ACTIVATIONS)]
    activation = getattr(layer, "activation", None)
    if activation not in known:
        raise ValueError(
            f"layer {layer.name!r} has the activation {activation!r}; only these can "
            f"be written, as Keras has them: {', '.join(ACTIVATIONS)}"
        )
    if isinstance(layer, keras.layers.BatchNormalization):
        check_axis(layer, layer.input.shape)
    if layer.weights:
        _check_weights(layer)


def _check_weights(layer):
    count = count_weights(type(layer).__name__, layer, layer.input.shape)
    floats = all(weight.dtype == "float32" for weight in layer.weights)
    if layer.count_params() != count or not floats:
        raise ValueError(
            f"layer {layer.name!r} must have the float32 weights of its settings "
            "alone, not those of Keras' quantize() or enable_lora()"
        )


def _without_tuples(setting):
    if isinstance(setting, tuple):
        return list(map(_without_tuples, setting))
    return setting
