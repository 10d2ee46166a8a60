"""Networks with fewer channels: fewer mult-adds and less latency, not only bytes."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from typing import Unpack

import keras
import numpy as np

from mobilenet_tf import arguments
from mobilenet_tf.compression.fine_tuning import StockTraining, checked, fine_tune
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.models import architecture
from mobilenet_tf.models.architecture import Architecture, LayerSpec
from mobilenet_tf.training.recipe import Recipe

# Layers whose output channels can be removed.
_PRODUCERS = ("Conv2D", "Dense", "SeparableConv2D")
# Layers of as many output as input channels, each made from its own.
_CHANNELWISE = (
    *("Activation", "AveragePooling2D", "BatchNormalization", "DepthwiseConv2D"),
    *("Dropout", "GlobalAveragePooling2D", "GlobalMaxPooling2D", "MaxPooling2D"),
    *("ReLU", "Rescaling", "Softmax", "ZeroPadding2D"),
)
# Layers through which removed channels can be followed.
_FOLLOWED = (*_CHANNELWISE, "Concatenate", "Flatten", "InputLayer")


def remove_channels(
    model: keras.Model,
    data: DataSet | None = None,
    recipe: Recipe | str | None = None,
    *,
    fraction: float,
    skip: Collection[str] = (),
    **training: Unpack[StockTraining],
) -> keras.Model:
    """Remove the channels whose filters have the smallest L1 norm, and train the rest.

    The same fraction of every layer is removed. Channels that are added to others or
    are outputs of the network stay; so do those of grouped convolutions.

    Args:
        model: A trained network of stock layers.
        data: What it is trained on; None means no training.
        recipe: How: a name in `mobilenet_tf.training.RECIPES`, or a recipe; None means
            "compress".
        fraction: Share of the channels that is removed from each layer, in [0, 1);
            rounded so that more stay, and one at least.
        skip: Names of layers whose channels stay.
        **training: See `mobilenet_tf.compression.fine_tuning.StockTraining`.

    Returns:
        A narrower network of the same layers; the model stays as it is.

    Raises:
        ValueError: An argument is out of its range, or a layer is none of those that
            can be made narrower.
        TypeError: There is no such further argument.

    Source: Li et al., "Pruning filters for efficient convnets", arXiv 1608.08710.
    """
    check_fraction(fraction)
    model, recipe = checked(
        remove_channels, model, data, recipe, training, optional=True
    )
    network = architecture.describe(model)
    producers = [spec.name for spec in network.layers if spec.kind in _PRODUCERS]
    arguments.names("skip", skip, producers)
    fixed = _fixed(network) | set(skip)
    kept = {
        name: _strongest(model.get_layer(name), fraction)
        for name in producers
        if name not in fixed
    }
    return fine_tune(
        f"remove channels: {100 * fraction:g} %",
        model,
        _narrowed(model, network, kept),
        data,
        recipe,
        left_out=[name for name in producers if name in fixed],
        **training,
    )


def check_fraction(fraction: float) -> None:
    """Raise ValueError unless a share of channels is in [0, 1)."""
    arguments.number("fraction", fraction, lambda value: 0 <= value < 1, "in [0, 1)")


def _fixed(network: Architecture) -> set[str]:
    """The layers none of whose channels may be removed."""
    origins: dict[str, set[str]] = {}  # the layers that the channels come from
    fixed: set[str] = set()
    for spec in network.layers:
        before = set().union(*(origins[name] for name in spec.inputs))
        if spec.settings.get("groups", 1) > 1:
            fixed |= {*before, spec.name}
        if spec.settings.get("depth_multiplier", 1) > 1:
            fixed |= before
        if spec.kind in _PRODUCERS:
            origins[spec.name] = {spec.name}
            continue
        origins[spec.name] = before
        last_axis = spec.settings.get("axis", -1) in (-1, 3)
        if spec.kind not in _FOLLOWED or not last_axis:
            fixed |= before
    return fixed | origins[network.layers[-1].name]


def _strongest(layer, fraction) -> np.ndarray:
    """Indices of the channels that stay, in order."""
    kernel = layer.get_weights()[-1 - layer.use_bias]
    norms = np.abs(kernel).reshape(-1, _width(layer)).sum(0)
    count = max(1, int(np.ceil(round((1 - fraction) * len(norms), 6))))
    return np.sort(np.argsort(-norms, kind="stable")[:count])


def _width(layer):
    return layer.output.shape[-1]


def _narrowed(model, network: Architecture, kept) -> keras.Model:
    """The network with the given channels of some layers, and their weights."""
    specs, weights = [], {}
    channels: dict[str, np.ndarray] = {}  # indices of each layer's remaining channels
    for spec in network.layers:
        layer = model.get_layer(spec.name)
        inputs = [channels[name] for name in spec.inputs]
        before = _input_channels(layer, spec, inputs)
        if spec.kind in _PRODUCERS:
            after = kept.get(spec.name, np.arange(_width(layer)))
            width = "units" if spec.kind == "Dense" else "filters"
            spec = spec.with_settings(**{width: len(after)})
        elif _takes_fewer(layer, inputs):
            after = before  # channel by channel, as `_fixed` has checked
        else:
            after = np.arange(_width(layer))
        channels[spec.name] = after
        weights[spec.name] = _remaining_weights(layer, spec, before, after)
        specs.append(spec)
    result = architecture.build(dataclasses.replace(network, layers=tuple(specs)))
    for layer in result.layers:
        layer.set_weights(weights[layer.name])
    return result


def _takes_fewer(layer, inputs) -> bool:
    """Whether a layer takes fewer channels than it did."""
    tensors = keras.tree.flatten(layer.input)[: len(inputs)]  # none of an input layer
    pairs = zip(inputs, tensors, strict=True)
    return any(indices.size < tensor.shape[-1] for indices, tensor in pairs)


def _input_channels(layer, spec: LayerSpec, inputs: Sequence[np.ndarray]):
    """Indices of the remaining channels in a layer's input; None of an input layer."""
    if not inputs:
        return None
    last = len(layer.output.shape) - 1
    if spec.kind == "Concatenate" and layer.axis in (-1, last):
        tensors = keras.tree.flatten(layer.input)
        offsets = np.cumsum([0, *(tensor.shape[-1] for tensor in tensors[:-1])])
        pairs = zip(offsets, inputs, strict=True)
        return np.concatenate([offset + indices for offset, indices in pairs])
    if spec.kind == "Flatten":
        positions = np.arange(0, _width(layer), layer.input.shape[-1])
        return (positions[:, None] + inputs[0]).ravel()
    return inputs[0]


def _remaining_weights(layer, spec: LayerSpec, before, after) -> list[np.ndarray]:
    """The weights of a layer for some of its channels."""
    arrays = layer.get_weights()
    if spec.kind == "BatchNormalization":
        return [array[before] for array in arrays]
    if spec.kind == "DepthwiseConv2D":
        if before.size == layer.input.shape[-1]:
            return arrays
        return [
            array[..., before, :] if array.ndim > 1 else array[before]
            for array in arrays
        ]
    if spec.kind not in _PRODUCERS or spec.settings.get("groups", 1) > 1:
        return arrays
    kernels = [array for array in arrays if array.ndim > 1]
    if before.size < layer.input.shape[-1]:
        kernels = [array[..., before, :] for array in kernels]
    kernels[-1] = kernels[-1][..., after]
    return kernels + [array[after] for array in arrays if array.ndim == 1]
