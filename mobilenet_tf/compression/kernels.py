"""The kernels of a network: the weights that compression works on."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import keras
import numpy as np

from mobilenet_tf import arguments

MOST_VALUES = 256  # that a kernel can share


def parts(layer: keras.layers.Layer) -> dict[str, list[np.ndarray]]:
    """The weights of a layer, in order, by the names of the layers it consists of.

    A SeparableConv2D consists of a depthwise convolution, `{name}_depthwise`, and a 1x1
    convolution of its own name; any other layer of itself.
    """
    arrays = layer.get_weights()
    if isinstance(layer, keras.layers.SeparableConv2D):
        return {depthwise_part(layer.name): arrays[:1], layer.name: arrays[1:]}
    return {layer.name: arrays}


def depthwise_part(name: str) -> str:
    """The name of the depthwise convolution in a SeparableConv2D."""
    return f"{name}_depthwise"


def by_name(model: keras.Model) -> dict[str, np.ndarray]:
    """The kernels of a flat network, in order, by the names of layers and parts."""
    return {
        name: array
        for layer in model.layers
        for name, arrays in parts(layer).items()
        for array in arrays
        if array.ndim > 1
    }


def replace(model: keras.Model, kernels: Mapping[str, np.ndarray]) -> None:
    """Give a flat network other kernels, by the names of layers and parts."""
    for layer in model.layers:
        arrays = [
            kernels.get(name, array) if array.ndim > 1 else array
            for name, arrays in parts(layer).items()
            for array in arrays
        ]
        layer.set_weights(arrays)


def shares_values(values: np.ndarray) -> bool:
    """Whether the weights of a kernel share values, as clustering makes them.

    That is: there are at most 256 distinct values besides zero, and at least twice as
    many weights that are not zero. Counted exactly, so a kernel of 8-bit integers times
    one scale shares values too.
    """
    weights = values[values != 0]
    return 0 < len(np.unique(weights)) <= min(MOST_VALUES, weights.size // 2)


def check_not_clustered(model: keras.Model) -> None:
    """Raise ValueError if a kernel of a flat network shares values."""
    for name, values in by_name(model).items():
        if shares_values(values):
            raise ValueError(
                "model must not be clustered, since pruning loses shared values: prune "
                f"before cluster, or pass keep_clusters=False; got "
                f"{len(np.unique(values))} values for {values.size:,} weights of "
                f"{name!r}"
            )


def check_enough_values(kernels: Mapping[str, np.ndarray], clusters: int) -> None:
    """Raise ValueError unless every kernel has values enough for the clusters."""
    for name, values in kernels.items():
        distinct = len(np.unique(values))
        if distinct < clusters:
            raise ValueError(
                f"clusters must be at most the {distinct} distinct values of {name!r}, "
                f"got {clusters}; name the layer in skip to leave it out"
            )
        if clusters == 2 and (values == 0).any():
            raise ValueError(
                f"clusters must be at least 3 where zeros stay, as in {name!r}, got 2"
            )


def chosen(
    model: keras.Model, depthwise: bool, skip: Collection[str]
) -> tuple[dict[str, np.ndarray], list[str]]:
    """The kernels to work on, by name, and the names of those that are left out.

    Args:
        model: The network, flat.
        depthwise: Whether to work on depthwise kernels.
        skip: Names of further kernels to leave out.

    Raises:
        ValueError: `skip` is no collection of names of kernels, or none is left.
    """
    kernels = by_name(model)
    arguments.names("skip", skip, kernels)
    left_out = {*skip}
    if not depthwise:
        left_out |= _depthwise_names(model)
    taken = {name: values for name, values in kernels.items() if name not in left_out}
    if not taken:
        raise ValueError(f"no layer of {model.name!r} is left to work on")
    return taken, [name for name in kernels if name in left_out]


def _depthwise_names(model):
    return {
        name
        for layer in model.layers
        for name in parts(layer)
        if name != layer.name or isinstance(layer, keras.layers.DepthwiseConv2D)
    }


def check_sparsity(share: float) -> None:
    """Raise ValueError unless a share of zeros is in [0, 1)."""
    arguments.number("sparsity", share, lambda value: 0 <= value < 1, "in [0, 1)")


def check_clusters(clusters: int) -> None:
    """Raise ValueError unless a kernel can have this many shared values."""
    arguments.integer("clusters", clusters, 2)
    if clusters > MOST_VALUES:
        raise ValueError(f"clusters must be at most {MOST_VALUES}, got {clusters}")
