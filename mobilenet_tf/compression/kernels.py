"""The kernels of a network, which are what compresses."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import keras
import numpy as np

from mobilenet_tf import arguments

MOST_VALUES = 256  # that a clustered kernel may have


def parts(layer: keras.layers.Layer) -> dict[str, list[np.ndarray]]:
    """The weights of a layer, in order, by the names of the layers that it consists of.

    That is itself, but of a SeparableConv2D a depthwise convolution,
    `{name}_depthwise`, and a 1x1 convolution of its own name.
    """
    arrays = layer.get_weights()
    if isinstance(layer, keras.layers.SeparableConv2D):
        return {depthwise_part(layer.name): arrays[:1], layer.name: arrays[1:]}
    return {layer.name: arrays}


def depthwise_part(name: str) -> str:
    """The name of the depthwise convolution in a SeparableConv2D."""
    return f"{name}_depthwise"


def by_name(model: keras.Model) -> dict[str, np.ndarray]:
    """The kernels of a network, in order, by the names of layers and their parts."""
    return {
        name: array
        for layer in model.layers
        for name, arrays in parts(layer).items()
        for array in arrays
        if array.ndim > 1
    }


def replace(model: keras.Model, kernels: Mapping[str, np.ndarray]) -> None:
    """Give a network other kernels, by their names."""
    for layer in model.layers:
        found = [
            kernels.get(name, array) if array.ndim > 1 else array
            for name, arrays in parts(layer).items()
            for array in arrays
        ]
        layer.set_weights(found)


def clustered(values: np.ndarray) -> bool:
    """Whether the weights of a kernel share few values, as `steps.cluster` makes them.

    That is at most 256 beside zero, each of them twice or more on average, which are no
    evenly spaced levels: those are of 8-bit integers, as in some published weights.
    """
    weights = values[values != 0].astype("float64")
    distinct = np.unique(weights)
    if not 0 < len(distinct) <= min(MOST_VALUES, len(weights) / 2):
        return False
    steps = np.diff(np.union1d(distinct, 0.0))
    steps /= steps.min()
    return bool((np.abs(steps - np.rint(steps)) > 1e-3).any())


def chosen(
    model: keras.Model, depthwise: bool, skip: Collection[str]
) -> tuple[dict[str, np.ndarray], list[str]]:
    """The kernels to work on, by name, and the names of those that are left out.

    Args:
        model: The network.
        depthwise: Whether depthwise kernels belong to it.
        skip: Names of kernels that do not.

    Raises:
        ValueError: `skip` is no collection of names of kernels, or none is left.
    """
    kernels = by_name(model)
    arguments.names("skip", skip, kernels)
    left_out = {*skip}
    if not depthwise:
        left_out |= _depthwise(model)
    taken = {name: values for name, values in kernels.items() if name not in left_out}
    if not taken:
        raise ValueError(f"no layer of {model.name!r} is left to work on")
    return taken, [name for name in kernels if name in left_out]


def _depthwise(model):
    return {
        name
        for layer in model.layers
        for name in parts(layer)
        if name != layer.name or isinstance(layer, keras.layers.DepthwiseConv2D)
    }
