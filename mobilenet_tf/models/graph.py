"""Read from a network's graph: its layers, its classifier, the input it expects.

Networks come as `build` makes them, as `keras.applications` does, or with a head of the
user's own: `Sequential([Rescaling(...), mobilenet, Dense(5)])`. Whoever works on layers
flattens such a network first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import layers

PIXELS = (0.0, 255.0)
SYMMETRIC = (-1.0, 1.0)

# Layers between the scores of the classes and the end of a network.
_AFTER_SCORES = (
    *(layers.Activation, layers.Softmax, layers.ReLU),
    *(layers.Reshape, layers.Flatten, layers.GlobalAveragePooling2D),
)
_KERNEL_LAYERS = (layers.Dense, layers.Conv2D)
_ACTIVATIONS = ("linear", "sigmoid", "softmax")

# Networks that take [-1, 1]: name of the first convolution, and prefix of the name of
# some later layer. Names of layers are stable.
_SYMMETRIC_FAMILIES = (
    ("stem", "block1_"),  # build
    ("conv1", "fire2_"),  # build_squeezenet
    ("conv1", "conv_dw_1"),  # keras.applications.MobileNet
    ("conv1", "fc6"),  # baselines.alexnet
    ("conv1", "inception3a_"),  # baselines.googlenet
)


@dataclasses.dataclass(frozen=True)
class Head:
    """The end of a network that classifies.

    Attributes:
        layer: The layer whose kernel gives one score for each class: a Dense layer, or
            a convolution that is averaged over positions.
        activation: Keras name of the activation of the scores: "linear" for logits,
            "softmax" or "sigmoid".
        classes: Number of classes.
    """

    layer: keras.layers.Layer
    activation: str
    classes: int


def flatten(model: keras.Model) -> keras.Model:
    """The same network without models inside it.

    Args:
        model: A functional or built sequential model, with other models as layers to
            any depth.

    Returns:
        The model itself where it is functional and flat, from a tensor to a tensor.
        Otherwise a functional copy with layers of its own and equal weights, which
        takes a tensor where the model takes a list of one; a layer keeps its name, or
        is called `{model}_{layer}` where two would have the same. `copy_weights` brings
        weights over and back.

    Raises:
        ValueError: The model is neither, so that its layers are not known.
    """
    graph = _functional(model)
    nested = any(isinstance(layer, keras.Model) for layer in graph.operations)
    wrapped = any(_unwrapped(ends) is not ends for ends in (graph.input, graph.output))
    if graph is model and not nested and not wrapped:
        return model
    copies: dict[int, keras.Operation] = {}
    for name, layer in _named_leaves(graph):
        config = layer.get_config() | {"name": name}
        copies[id(layer)] = type(layer).from_config(config)

    def copy(operation: keras.Operation) -> keras.Operation:
        if isinstance(operation, keras.Model):
            return operation
        if id(operation) not in copies:  # an operation without a layer
            config = operation.get_config()
            copies[id(operation)] = type(operation).from_config(config)
        return copies[id(operation)]

    def call(
        operation: keras.Operation,
        *args: Any,
        training: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        # `base(x, training=False)` holds for every layer of the base.
        if isinstance(operation, keras.Model):
            return _functional(operation)._run_through_graph(
                args[0],
                copy,
                lambda inner, *a, **k: call(inner, *a, **{"training": training} | k),
            )
        if training is not None and getattr(operation, "_call_has_training_arg", False):
            kwargs["training"] = training
        return operation(*args, **kwargs)

    inputs = [
        keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name)
        for tensor in graph.inputs
    ]
    outputs = graph._run_through_graph(inputs, copy, call)
    # `keras.models.clone_model` takes a tensor for a single input, not for a list.
    flat = keras.Model(_unwrapped(inputs), _unwrapped(outputs), name=model.name)
    copy_weights(model, flat)
    return flat


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Copy all weights between a network and its flat copy, in either direction.

    Raises:
        ValueError: They are not the same network.
    """
    targets = dict(_named_leaves(target))
    sources = dict(_named_leaves(source))
    if sources.keys() != targets.keys():
        (different, *_) = sorted(sources.keys() ^ targets.keys())
        raise ValueError(
            f"{source.name!r} and {target.name!r} must be the same network, but only "
            f"one of them has a layer {different!r}"
        )
    for name, layer in sources.items():
        targets[name].set_weights(layer.get_weights())


def head(model: keras.Model) -> Head | None:
    """The classifier of a network; None for one that gives features.

    A network classifies if it gives `(batch, classes)` from a Dense layer, or from a
    convolution whose averages go through an Activation or Softmax layer of their own,
    and nothing but softmax, sigmoid or no activation comes last.
    """
    flat = flatten(model)
    if len(flat.outputs) != 1 or len(flat.output.shape) != 2:
        return None
    layer = flat.output._keras_history.operation
    activation = _activation(layer)
    has_activation_layer = isinstance(layer, layers.Activation | layers.Softmax)
    while isinstance(layer, _AFTER_SCORES):
        layer = layer.input._keras_history.operation
    scores = (layers.Dense, layers.Conv2D) if has_activation_layer else layers.Dense
    if not isinstance(layer, scores) or isinstance(layer, layers.DepthwiseConv2D):
        return None
    if activation not in _ACTIVATIONS:
        return None
    return Head(layer, activation, int(flat.output.shape[-1]))


def input_range(model: keras.Model) -> tuple[float, float] | None:
    """A network's inputs for black and for white.

    `(0, 255)` or `(0, 1)` where its first layer is Rescaling or Normalization, by the
    layer's scale; `(-1, 1)` for the networks of this package and
    `keras.applications.MobileNet`, with any head; None where the graph does not
    determine them.
    """
    flat = flatten(model)
    for layer in flat.layers:
        if isinstance(layer, layers.Rescaling):
            scale = float(np.max(np.abs(layer.scale)))
            return PIXELS if scale < 0.1 else (0.0, 1.0)
        if isinstance(layer, layers.Normalization):
            return PIXELS if float(np.max(np.abs(layer.mean))) > 2 else (0.0, 1.0)
        if isinstance(layer, _KERNEL_LAYERS):
            names = [layer.name for layer in flat.layers]
            for first, prefix in _SYMMETRIC_FAMILIES:
                if layer.name == first and any(n.startswith(prefix) for n in names):
                    return SYMMETRIC
            return None
    return None


def _unwrapped(structure: Any) -> Any:
    """The tensor in a list or dictionary that holds no other; else the structure."""
    tensors = keras.tree.flatten(structure)
    return tensors[0] if len(tensors) == 1 else structure


def _functional(model: keras.Model) -> Any:
    """The graph of a functional or sequential model."""
    graph = getattr(model, "_functional", None) or model
    if not hasattr(graph, "operations"):
        raise ValueError(
            f"model must be functional, or sequential and built, got {model.name!r} of "
            f"type {type(model).__name__}"
        )
    return graph


def _named_leaves(model: keras.Model) -> Iterator[tuple[str, keras.layers.Layer]]:
    """Layers that are no models, in order, under the names of the flat copy."""
    used: set[str] = set()

    def leaves(
        graph: keras.Model, prefix: str
    ) -> Iterator[tuple[str, keras.layers.Layer]]:
        for layer in _functional(graph).layers:
            if isinstance(layer, keras.Model):
                yield from leaves(layer, f"{layer.name}_")
            elif not isinstance(layer, layers.InputLayer):
                yield prefix, layer

    seen: set[int] = set()
    for prefix, layer in leaves(model, ""):
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        name = layer.name
        while name in used:
            name = f"{prefix or 'outer_'}{name}"
        used.add(name)
        yield name, layer


def _activation(layer: keras.Operation) -> str:
    """Keras name of a layer's activation; "linear" where it has none."""
    if isinstance(layer, layers.Softmax):
        return "softmax"
    if isinstance(layer, layers.ReLU):
        return "relu"
    activation = getattr(layer, "activation", None)
    return "linear" if activation is None else keras.activations.serialize(activation)
