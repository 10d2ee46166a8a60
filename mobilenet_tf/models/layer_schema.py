"""The settings of layers that are written: which, and what values they can have."""

from __future__ import annotations

import math

_MOST_VALUES = 8  # in a list, as a shape has dimensions
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
# Keras' functions of one tensor that give as many channels as they take.
ACTIVATIONS = (
    *("celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu"),
    *("hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish"),
    *("relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus"),
    *("softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "tanh"),
    "tanh_shrink",
)


def check_settings(owner: str, settings: dict) -> None:
    """Raise a ValueError for a setting that the owner, a layer, cannot have."""
    for key, value in settings.items():
        legal = value in ACTIVATIONS if key == "activation" else _is_plain(value)
        if not legal:
            raise ValueError(f"{owner} cannot be written with {key}={value!r}")


def _is_plain(value, depth=0):
    if isinstance(value, list):
        few = len(value) <= _MOST_VALUES and depth < 2
        return few and all(_is_plain(one, depth + 1) for one in value)
    return value is None or isinstance(value, bool | int | float | str)


def check_axis(layer, shape) -> None:
    """Raise a ValueError for a batch normalisation of other axes than the last."""
    if layer.axis not in (-1, len(shape) - 1):
        raise ValueError(
            f"layer {layer.name!r} must normalise the last axis, got axis={layer.axis}"
        )


def count_weights(kind: str, layer, shape) -> int:
    """How many weights a layer will have, by its settings and what it takes."""
    config, channels = layer.get_config(), shape[-1]
    kernel = math.prod(config.get("kernel_size", (1,)))
    multiplied = channels * config.get("depth_multiplier", 1)
    if kind == "BatchNormalization":
        check_axis(layer, shape)
        return channels * (2 + bool(config["center"]) + bool(config["scale"]))
    if kind == "DepthwiseConv2D":
        return multiplied * (kernel + bool(config["use_bias"]))
    if kind == "SeparableConv2D":
        produced = config["filters"]
        return multiplied * (kernel + produced) + produced * bool(config["use_bias"])
    if kind in ("Conv2D", "Dense"):
        produced = config.get("units", config.get("filters"))
        each = kernel * channels // config.get("groups", 1) + bool(config["use_bias"])
        return produced * each
    return 0
