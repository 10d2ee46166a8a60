"""The kernels of a network, which are what compresses."""

from __future__ import annotations

from collections.abc import Collection

import keras
import numpy as np

from mobilenet_tf import arguments

MOST_VALUES = 256  # that a clustered kernel may have


def kernel(layer: keras.layers.Layer) -> np.ndarray | None:
    """The kernel of a layer; the 1x1 kernel of a separable one; None if it has none."""
    kernels = [array for array in layer.get_weights() if array.ndim > 1]
    return kernels[-1] if kernels else None


def replace_kernel(layer: keras.layers.Layer, values: np.ndarray) -> None:
    """Give a layer other values for `kernel(layer)`."""
    arrays = layer.get_weights()
    place = max(index for index, array in enumerate(arrays) if array.ndim > 1)
    arrays[place] = values
    layer.set_weights(arrays)


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
) -> tuple[list[keras.layers.Layer], list[str]]:
    """The layers to work on, and the names of those with kernels that are left out.

    Args:
        model: The network.
        depthwise: Whether depthwise layers belong to it.
        skip: Names of layers that do not.

    Raises:
        ValueError: `skip` is no collection of names of layers with a kernel, or no
            layer is left.
    """
    layers = [layer for layer in model.layers if kernel(layer) is not None]
    names = [layer.name for layer in layers]
    arguments.names("skip", skip, names)
    taken = [
        layer
        for layer in layers
        if layer.name not in skip
        and (depthwise or not isinstance(layer, keras.layers.DepthwiseConv2D))
    ]
    if not taken:
        raise ValueError(f"no layer of {model.name!r} is left to work on")
    left_out = sorted(set(names) - {layer.name for layer in taken})
    return taken, left_out
