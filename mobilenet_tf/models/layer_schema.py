"""The layers and settings that an architecture can hold, and their weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras

_MOST_VALUES = 8  # in a list, as a shape has dimensions
_SPATIAL = ("kernel_size", "strides", "padding", "dilation_rate")
_CONVOLUTION = (*_SPATIAL, "use_bias", "activation")
# The constructor arguments that matter when a layer predicts. The codec's file holds
# settings in this order.
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
# Keras' functions of one tensor that give as many channels as they take.
ACTIVATIONS = (
    *("celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu"),
    *("hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish"),
    *("relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus"),
    *("softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "tanh"),
    "tanh_shrink",
)


def check_settings(kind: str, name: str, settings: Mapping[str, Any]) -> None:
    """Raise ValueError unless a layer's settings are complete and plain.

    Args:
        kind: The layer's class.
        name: The layer's name, for the message.
        settings: Values by the names of constructor arguments.
    """
    if kind not in SETTINGS:
        raise ValueError(
            f"layer {name!r} is a {kind}, but must be one of {', '.join(SETTINGS)}"
        )
    if set(settings) != set(SETTINGS[kind]):
        raise ValueError(
            f"layer {name!r}, a {kind}, must have the settings "
            f"{', '.join(SETTINGS[kind]) or 'none'}, got {', '.join(settings)}"
        )
    for key, value in settings.items():
        legal = value in ACTIVATIONS if key == "activation" else _is_plain(value)
        if not legal:
            raise ValueError(f"layer {name!r} cannot be written with {key}={value!r}")


def _is_plain(value, depth=0):
    if isinstance(value, list):
        short = len(value) <= _MOST_VALUES and depth < 2
        return short and all(_is_plain(item, depth + 1) for item in value)
    return value is None or isinstance(value, bool | int | float | str)


def check_axis(layer: keras.layers.Layer, shape: tuple[int | None, ...]) -> None:
    """Raise ValueError for a batch normalisation of another axis than the last."""
    if layer.axis not in (-1, len(shape) - 1):
        raise ValueError(
            f"layer {layer.name!r} must normalise the last axis, got axis={layer.axis}"
        )


def weight_shapes(
    kind: str, layer: keras.layers.Layer, shape: tuple[int | None, ...]
) -> list[tuple[int, ...]]:
    """Shapes of the weights that a layer will have, before they take memory.

    Args:
        kind: The layer's class.
        layer: The layer, built or not.
        shape: Shape of its input.

    Returns:
        Shapes in the order of `layer.weights`.

    Raises:
        ValueError: The number of channels is not known, or a batch normalisation is of
            another axis than the last.
    """
    config, channels = layer.get_config(), shape[-1]
    if channels is None:
        raise ValueError(
            f"layer {layer.name!r} must take a known number of channels, got {shape}"
        )
    kernel = tuple(config.get("kernel_size", ()))
    multiplier = config.get("depth_multiplier", 1)
    multiplied, bias = channels * multiplier, bool(config.get("use_bias", False))
    if kind == "BatchNormalization":
        check_axis(layer, shape)
        vectors = 2 + bool(config["center"]) + bool(config["scale"])
        return [(channels,)] * vectors
    if kind == "DepthwiseConv2D":
        return [(*kernel, channels, multiplier), *[(multiplied,)] * bias]
    if kind == "SeparableConv2D":
        filters = config["filters"]
        depthwise = (*kernel, channels, multiplier)
        return [depthwise, (1, 1, multiplied, filters), *[(filters,)] * bias]
    if kind in ("Conv2D", "Dense"):
        filters = config.get("units", config.get("filters"))
        inputs = channels // config.get("groups", 1)
        return [(*kernel, inputs, filters), *[(filters,)] * bias]
    return []


def count_weights(
    kind: str, layer: keras.layers.Layer, shape: tuple[int | None, ...]
) -> int:
    """How many weights a layer will have; see `weight_shapes`."""
    return sum(map(math.prod, weight_shapes(kind, layer, shape)))
