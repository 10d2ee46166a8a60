"""A flat network of stock layers as a short text, and back.

The text is a JSON list: the name of the network, then one list per layer with its
class, its name, the layers it takes, and the settings that are not Keras' defaults.
Nothing of it is ever executed or used as a path: classes and settings are looked up
here.
"""

from __future__ import annotations

import inspect
import json
import math
import types

import keras

MOST_LAYERS = 2000
MOST_WEIGHTS = 1 << 28
_SPATIAL = ("kernel_size", "strides", "padding", "dilation_rate")
_CONVOLUTION = (*_SPATIAL, "use_bias", "activation")
# What of a layer's settings matters when it predicts.
SETTINGS = {
    "Activation": ("activation",),
    "Add": (),
    "AveragePooling2D": ("pool_size", "strides", "padding"),
    "BatchNormalization": ("axis", "momentum", "epsilon", "center", "scale"),
    "Concatenate": ("axis",),
    "Conv2D": ("filters", "groups", *_CONVOLUTION),
    "Dense": ("units", "use_bias", "activation"),
    "DepthwiseConv2D": ("depth_multiplier", *_CONVOLUTION),
    "Dropout": ("rate",),
    "Flatten": (),
    "GlobalAveragePooling2D": ("keepdims",),
    "GlobalMaxPooling2D": ("keepdims",),
    "InputLayer": ("batch_shape",),
    "MaxPooling2D": ("pool_size", "strides", "padding"),
    "ReLU": ("max_value", "negative_slope", "threshold"),
    "Rescaling": ("scale", "offset"),
    "Reshape": ("target_shape",),
    "SeparableConv2D": ("filters", "depth_multiplier", *_CONVOLUTION),
    "Softmax": ("axis",),
    "ZeroPadding2D": ("padding",),
}


def describe(model: keras.Model) -> str:
    """The text of a network.

    Raises:
        ValueError: A layer is none of those that can be written, or is used twice.
    """
    # Operations without a layer, as a channel shuffle, are not among `layers`.
    entries = map(_described, getattr(model, "operations", model.layers))
    return json.dumps([model.name, *entries], separators=(",", ":"))


def build(
    text: str, max_weights: int = MOST_WEIGHTS, framework: types.ModuleType = keras
) -> tuple[keras.Model, list[keras.layers.Layer]]:
    """The network of a text, with Keras' initial weights, and its layers in order.

    Args:
        text: What `describe` gave.
        max_weights: A text with more weights is refused before they take memory.
        framework: `keras`, or a module with the same layers.

    Raises:
        ValueError: It is no such text, or the network has more weights than allowed.
    """
    try:
        name, *entries = json.loads(text)
        if len(entries) > MOST_LAYERS:
            raise ValueError(f"it has more than {MOST_LAYERS:,} layers")
        layers, tensors, weights = [], {}, 0
        for kind, layer_name, inputs, settings in entries:
            layer = _layer(framework, kind, layer_name, settings)
            taken = [tensors[one] for one in inputs]
            if taken:
                weights += _weights(kind, layer, taken[0].shape[-1])
            if weights > max_weights:
                raise ValueError(f"it has more than {max_weights:,} weights")
            if layer_name in tensors:
                raise ValueError(f"two layers have the name {layer_name!r}")
            result = layer(taken if len(taken) > 1 else taken[0]) if taken else None
            tensors[layer_name] = layer.output if result is None else result
            layers.append(layer)
        images = layers[0].output
        return framework.Model(images, tensors[layers[-1].name], name=name), layers
    except Exception as error:  # a hostile text can make Keras raise anything
        raise ValueError(f"it describes no network: {error}") from error


def _described(layer):
    kind = type(layer).__name__
    known = isinstance(layer, keras.layers.Layer) and hasattr(keras.layers, kind)
    if kind not in SETTINGS or not known:
        raise ValueError(
            f"layer {layer.name!r} is a {kind}; only these can be written: "
            f"{', '.join(SETTINGS)}"
        )
    (node,) = layer._inbound_nodes
    inputs = [] if node.is_input else [one.operation.name for one in node.parent_nodes]
    config = layer.get_config()
    defaults = inspect.signature(getattr(keras.layers, kind)).parameters
    settings = {
        key: config[key]
        for key in SETTINGS[kind]
        if key not in defaults or _plain(config[key]) != _plain(defaults[key].default)
    }
    return [kind, layer.name, inputs, settings]


def _plain(setting):
    return list(setting) if isinstance(setting, tuple) else setting


def _layer(framework, kind, name, settings):
    if not set(settings) <= set(SETTINGS[kind]):
        raise ValueError(f"{kind} has no settings {sorted(settings)}")
    return getattr(framework.layers, kind)(name=name, **settings)


def _weights(kind, layer, channels):
    """How many weights a layer will have: an upper bound, before it has them."""
    config = layer.get_config()
    kernel = math.prod(config.get("kernel_size", (1,)))
    multiplied = channels * config.get("depth_multiplier", 1)
    produced = config.get("filters", config.get("units", 0))
    if kind == "SeparableConv2D":
        return multiplied * (kernel + produced) + produced
    return kernel * multiplied * (produced + 1) + 4 * max(channels, produced)
