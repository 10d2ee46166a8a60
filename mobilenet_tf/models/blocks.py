"""The building blocks of MobileNet, as functions from tensor to tensor.

Blocks consist of stock `keras.layers` only, and every layer is named after the `name`
of its block, so a saved model loads without this package. Feature maps are
channels-last: `(batch, height, width, channels)`. In the docstrings s is the stride.
"""

from __future__ import annotations

from typing import Any, TypedDict, Unpack

import keras
from keras import KerasTensor, layers

PADDINGS = ("same", "symmetric")
EPSILON = 1e-3  # the default of Keras


class Options(TypedDict, total=False):
    """What every block takes as keyword arguments.

    Attributes:
        activation: "relu6" (the default), "relu" or any other Keras activation name.
        padding: Of strided convolutions. "same" (the default) pads an even side below
            and to the right only, as TensorFlow does; "symmetric" pads all four sides,
            as PyTorch does. For odd sides they are equal.
        epsilon: Added to the variance in batch normalisation, 1e-3 by default.
    """

    activation: str
    padding: str
    epsilon: float


def conv_bn_relu(
    x: KerasTensor,
    filters: int,
    kernel_size: int = 3,
    strides: int = 1,
    *,
    name: str,
    **options: Unpack[Options],
) -> KerasTensor:
    """Convolution, batch normalisation, activation: `(H, W, C) -> (H/s, W/s, filters)`.

    Args:
        x: Feature map, shape `(batch, height, width, channels)`.
        filters: Number of output channels, at least 1.
        kernel_size: Side of the square kernel in pixels, odd.
        strides: Stride in both directions.
        name: Name of the convolution; the layers after it are `{name}_bn` and
            `{name}_relu`.
        **options: See `Options`.

    Source: arXiv 1704.04861, figure 3 (left).
    """
    return _normalized(
        layers.Conv2D, x, kernel_size, strides, name, **options, filters=filters
    )


def depthwise_separable(
    x: KerasTensor,
    filters: int,
    strides: int = 1,
    *,
    name: str,
    **options: Unpack[Options],
) -> KerasTensor:
    """Depthwise 3x3, then pointwise 1x1, each with batch normalisation, activation.

    `(H, W, C) -> (H/s, W/s, filters)`; the layers are `{name}_depthwise` and
    `{name}_pointwise`.

    Source: arXiv 1704.04861, section 3.1 and figure 3 (right).
    """
    depthwise = f"{name}_depthwise"
    x = _normalized(layers.DepthwiseConv2D, x, 3, strides, depthwise, **options)
    return conv_bn_relu(x, filters, 1, name=f"{name}_pointwise", **options)


def fused_separable(
    x: KerasTensor,
    filters: int,
    strides: int = 1,
    *,
    name: str,
    **options: Unpack[Options],
) -> KerasTensor:
    """One `SeparableConv2D`: no normalisation or activation after the depthwise part.

    `(H, W, C) -> (H/s, W/s, filters)`; the layer is `{name}_separable`.
    """
    name = f"{name}_separable"
    return _normalized(
        layers.SeparableConv2D, x, 3, strides, name, **options, filters=filters
    )


def full_convolution(
    x: KerasTensor,
    filters: int,
    strides: int = 1,
    *,
    name: str,
    **options: Unpack[Options],
) -> KerasTensor:
    """Standard 3x3 convolution instead of a depthwise separable one.

    `(H, W, C) -> (H/s, W/s, filters)`; the layer is `{name}_conv`.

    Source: arXiv 1704.04861, section 4.1 and table 4 ("Conv MobileNet").
    """
    return conv_bn_relu(x, filters, 3, strides, name=f"{name}_conv", **options)


def half_pointwise(
    x: KerasTensor,
    filters: int,
    strides: int = 1,
    *,
    name: str,
    **options: Unpack[Options],
) -> KerasTensor:
    """Standard convolution with half of its 3x3 filters replaced by 1x1 filters.

    `(H, W, C) -> (H/s, W/s, filters)`; the layers are `{name}_conv3x3`,
    `{name}_conv1x1` and their concatenation `{name}`.

    Source: arXiv 1602.07360, section 3.1, strategy 1.
    """
    branches = [
        conv_bn_relu(x, count, size, strides, name=branch, **options)
        for count, size, branch in (
            (filters // 2, 1, f"{name}_conv1x1"),
            (filters - filters // 2, 3, f"{name}_conv3x3"),
        )
    ]
    return layers.Concatenate(name=name)(branches)


def grouped_separable(
    x: KerasTensor,
    filters: int,
    strides: int = 1,
    *,
    name: str,
    groups: int = 4,
    shuffle: bool = False,
    **options: Unpack[Options],
) -> KerasTensor:
    """Depthwise separable block with a grouped pointwise convolution.

    `(H, W, C) -> (H/s, W/s, filters)`, with `groups` times fewer pointwise weights.
    `shuffle` adds a channel shuffle, without which channels of different groups never
    mix.

    Raises:
        ValueError: `groups` does not divide C and `filters`.

    Source: Zhang et al., "ShuffleNet", arXiv 1707.01083, section 3.1.
    """
    if x.shape[-1] % groups or filters % groups:
        raise ValueError(
            f"groups must divide the {x.shape[-1]} input channels and the {filters} "
            f"filters of {name!r}, got {groups}"
        )
    depthwise, pointwise = f"{name}_depthwise", f"{name}_pointwise"
    x = _normalized(layers.DepthwiseConv2D, x, 3, strides, depthwise, **options)
    grouped = {"filters": filters, "groups": groups}
    x = _normalized(layers.Conv2D, x, 1, 1, pointwise, **options, **grouped)
    return channel_shuffle(x, groups) if shuffle else x


def shuffled_separable(
    x: KerasTensor,
    filters: int,
    strides: int = 1,
    *,
    name: str,
    **options: Unpack[Options],
) -> KerasTensor:
    """`grouped_separable` with a channel shuffle."""
    return grouped_separable(x, filters, strides, name=name, shuffle=True, **options)


def channel_shuffle(x: KerasTensor, groups: int) -> KerasTensor:
    """Channel shuffle, `(H, W, C) -> (H, W, C)`: every group gets channels of all.

    Source: arXiv 1707.01083, section 3.1.
    """
    size = x.shape[-1] // groups
    order = [group * size + index for index in range(size) for group in range(groups)]
    return keras.ops.take(x, order, axis=-1)


def _normalized(
    convolution: type[keras.layers.Layer],
    x: KerasTensor,
    kernel_size: int,
    strides: int,
    name: str,
    *,
    activation: str = "relu6",
    padding: str = "same",
    epsilon: float = EPSILON,
    **settings: Any,
) -> KerasTensor:
    """A convolution of some class without bias, batch normalisation, activation."""
    if padding == "symmetric":
        padding = "same"
        if strides > 1 and kernel_size > 1:
            x = layers.ZeroPadding2D(kernel_size // 2, name=f"{name}_pad")(x)
            padding = "valid"
    x = convolution(
        kernel_size=kernel_size,
        strides=strides,
        padding=padding,
        use_bias=False,
        name=name,
        **settings,
    )(x)
    x = layers.BatchNormalization(epsilon=epsilon, name=f"{name}_bn")(x)
    return activate(x, activation, name=f"{name}_relu")


def activate(x: KerasTensor, activation: str, *, name: str) -> KerasTensor:
    """Apply `activation`; ReLU and ReLU6 become `keras.layers.ReLU`."""
    if activation in ("relu", "relu6"):
        ceiling = 6.0 if activation == "relu6" else None
        return layers.ReLU(max_value=ceiling, name=name)(x)
    return layers.Activation(keras.activations.get(activation), name=name)(x)


def pooled(x: KerasTensor, pooling: str | None) -> KerasTensor:
    """Output of a network without its top: `(h, w, C)`, or `(C,)` for "avg", "max"."""
    if pooling == "avg":
        return layers.GlobalAveragePooling2D(name="pool")(x)
    if pooling == "max":
        return layers.GlobalMaxPooling2D(name="pool")(x)
    return x
