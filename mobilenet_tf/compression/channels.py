"""Networks with fewer channels: mult-adds and latency fall, not the file alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence

import keras
import numpy as np

from mobilenet_tf import arguments
from mobilenet_tf.compression import reports
from mobilenet_tf.compression.tuning import check_tuned, tune
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.models import architecture
from mobilenet_tf.training.recipe import Recipe

_PRODUCERS = ("Conv2D", "Dense", "SeparableConv2D")
# What gives as many channels as it takes, each from its own.
_PASSING = (
    *("Activation", "AveragePooling2D", "BatchNormalization", "DepthwiseConv2D"),
    *("Dropout", "GlobalAveragePooling2D", "GlobalMaxPooling2D", "MaxPooling2D"),
    *("ReLU", "Rescaling", "Softmax", "ZeroPadding2D"),
)


def remove_channels(
    model: keras.Model,
    data: DataSet | None = None,
    recipe: Recipe | None = None,
    *,
    fraction: float,
    skip: Collection[str] = (),
    report: Callable[[reports.Report], None] = print,
    **training,
) -> keras.Model:
    """Remove the channels whose filters have the smallest L1 norm, and train the rest.

    The same fraction of every layer goes. Channels that meet others in an addition or
    leave the network stay; so do those of grouped convolutions.

    Args:
        model: A trained network, flat and functional, of stock layers.
        data: What it is trained on; None means no training.
        recipe: How; None means no training.
        fraction: Share of the channels that is removed from each layer, in [0, 1);
            rounded so that more stay, and one at least.
        skip: Names of layers whose channels stay.
        report: Called with what was done.
        **training: Further arguments of `mobilenet_tf.training.classifier.fit`.

    Returns:
        A narrower network of the same layers; the model stays as it is.

    Raises:
        ValueError: An argument is out of its range, or a layer is none of those that
            can be made narrower.

    Source: Li et al., "Pruning filters for efficient convnets", arXiv 1608.08710.
    """
    further = {"report": report, **training}
    check_tuned("remove_channels", model, data, recipe, further)
    arguments.number("fraction", fraction, lambda value: 0 <= value < 1, "in [0, 1)")
    name, *entries = json.loads(architecture.describe(model))
    producers = [entry[1] for entry in entries if entry[0] in _PRODUCERS]
    arguments.names("skip", skip, producers)
    fixed = _fixed(entries) | set(skip)
    kept = {
        one: _strongest(model.get_layer(one), fraction)
        for one in producers
        if one not in fixed
    }
    result = _narrowed(model, name, entries, kept)
    left_out = [one for one in producers if one in fixed]
    title = f"remove channels: {100 * fraction:g} %"
    return tune(title, model, result, data, recipe, left_out, report, **training)


def _fixed(entries) -> set[str]:
    """The layers none of whose channels may go."""
    origins, fixed = {}, set()
    for kind, name, inputs, settings in entries:
        before = set().union(*(origins[one] for one in inputs)) if inputs else set()
        if settings.get("groups", 1) > 1:
            fixed |= {*before, name}
        if settings.get("depth_multiplier", 1) > 1:
            fixed |= before
        if kind in _PRODUCERS:
            origins[name] = {name}
            continue
        origins[name] = before
        passes = kind in (*_PASSING, "Concatenate", "Flatten", "InputLayer")
        if not passes or settings.get("axis", -1) not in (-1, 3):
            fixed |= before
    return fixed | origins[entries[-1][1]]


def _strongest(layer, fraction) -> np.ndarray:
    """The channels that stay, in order."""
    norms = np.abs(layer.get_weights()[-1 - layer.use_bias]).reshape(-1, _width(layer))
    norms = norms.sum(0)
    count = max(1, int(np.ceil(round((1 - fraction) * len(norms), 6))))
    return np.sort(np.argsort(-norms, kind="stable")[:count])


def _width(layer):
    return layer.output.shape[-1]


def _narrowed(model, name, entries, kept) -> keras.Model:
    """The network with the given channels of some layers, and their weights."""
    narrow, channels, weights = [], {}, {}
    for kind, layer_name, inputs, settings in entries:
        layer = model.get_layer(layer_name)
        taken = [channels[one] for one in inputs]
        before = _before(layer, kind, taken)
        if kind in _PRODUCERS:
            after = kept.get(layer_name, np.arange(_width(layer)))
            width = "units" if kind == "Dense" else "filters"
            settings = {**settings, width: len(after)}
        elif _misses(layer, taken):
            after = before  # each passes, for `_fixed` saw to it
        else:
            after = np.arange(_width(layer))
        channels[layer_name] = after
        weights[layer_name] = _slices(layer, kind, before, after)
        narrow.append([kind, layer_name, inputs, settings])
    text = json.dumps([name, *narrow])
    result, layers = architecture.build(text)
    for layer in layers:
        layer.set_weights(weights[layer.name])
    return result


def _misses(layer, taken) -> bool:
    """Whether a layer takes fewer channels than it did."""
    tensors = keras.tree.flatten(layer.input)[: len(taken)]  # an input layer has none
    pairs = zip(taken, tensors, strict=True)
    return any(one.size < tensor.shape[-1] for one, tensor in pairs)


def _before(layer, kind, taken: Sequence[np.ndarray]):
    """Which channels of the model's tensor a layer takes."""
    if not taken:
        return None
    if kind == "Concatenate" and layer.axis in (-1, len(layer.output.shape) - 1):
        tensors = keras.tree.flatten(layer.input)
        offsets = np.cumsum([0, *(one.shape[-1] for one in tensors[:-1])])
        pairs = zip(offsets, taken, strict=True)
        return np.concatenate([offset + one for offset, one in pairs])
    if kind == "Flatten":
        channels = layer.input.shape[-1]
        places = np.arange(0, _width(layer), channels)
        return (places[:, None] + taken[0]).ravel()
    return taken[0]


def _slices(layer, kind, before, after) -> list[np.ndarray]:
    """The weights of a layer for some of its channels."""
    arrays = layer.get_weights()
    if kind == "BatchNormalization":
        return [array[before] for array in arrays]
    if kind == "DepthwiseConv2D":
        if before.size == layer.input.shape[-1]:
            return arrays
        return [
            array[..., before, :] if array.ndim > 1 else array[before]
            for array in arrays
        ]
    if kind not in _PRODUCERS or layer.get_config().get("groups", 1) > 1:
        return arrays
    kernels = [array for array in arrays if array.ndim > 1]
    if before.size < layer.input.shape[-1]:
        kernels = [array[..., before, :] for array in kernels]
    kernels[-1] = kernels[-1][..., after]
    return kernels + [array[after] for array in arrays if array.ndim == 1]
