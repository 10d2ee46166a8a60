"""The kernels of a network, which are what compresses, and sets of few values."""

from __future__ import annotations

from collections.abc import Collection

import keras
import numpy as np

from mobilenet_tf import arguments


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


def chosen(
    model: keras.Model, depthwise: bool, skip: Collection[str]
) -> tuple[list[keras.layers.Layer], list[str]]:
    """The layers to work on, and the names of those with kernels that are left out.

    Args:
        model: The network.
        depthwise: Whether depthwise layers belong to it.
        skip: Names of layers that do not.

    Raises:
        ValueError: A name in `skip` is of no layer with a kernel, or none is left.
    """
    layers = [layer for layer in model.layers if kernel(layer) is not None]
    names = [layer.name for layer in layers]
    for name in skip:
        arguments.one_of("skip", name, names)
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


def codebook(values: np.ndarray, clusters: int, keep_zeros: bool) -> np.ndarray:
    """At most `clusters` values in rising order that are near to the given ones.

    K-means in one dimension: every value is the mean of those nearest to it. It begins
    with evenly spaced ones, which keep the few large weights that matter most.

    Args:
        values: Any array.
        clusters: How many, at least 2.
        keep_zeros: Whether values that are exactly zero keep a zero of their own.

    Source: Han et al., "Deep Compression", arXiv 1510.00149, section 3.
    """
    values = np.sort(values, axis=None).astype("float64")
    if keep_zeros and (values == 0).any():
        others = codebook(values[values != 0], clusters - 1, keep_zeros=False)
        return np.sort(np.append(others[others != 0], np.float32(0)))
    sums = np.concatenate([[0.0], np.cumsum(values)])
    centres = np.linspace(values[0], values[-1], clusters)
    for _ in range(1000):
        edges = np.searchsorted(values, (centres[1:] + centres[:-1]) / 2)
        edges = np.unique(np.concatenate([[0], edges, [len(values)]]))
        moved = np.diff(sums[edges]) / np.diff(edges)  # empty clusters are dropped
        if np.array_equal(moved, centres):
            break
        centres = moved
    return np.unique(centres.astype("float32"))


def nearest(values: np.ndarray, codebook: np.ndarray) -> np.ndarray:
    """Every value replaced by the nearest of a codebook.

    With a zero in the codebook, zeros become zero and nothing else does.
    """
    others = codebook[codebook != 0]
    middles = (others[1:] + others[:-1]) / 2
    found = others[np.searchsorted(middles, values)]
    return np.where(values == 0, 0, found) if len(others) < len(codebook) else found
