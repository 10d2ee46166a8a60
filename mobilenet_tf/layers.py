"""The blocks MobileNet is made of, as functions tensor -> tensor.

Every block is built from stock `keras.layers`, and every layer is named after the
`name` it is given, so that a saved model loads without this package.
"""

import keras
from keras import layers


def conv_bn_relu(x, filters, kernel_size=3, strides=1, *, activation="relu6", name):
    """Convolution, batch normalisation, activation: `(H, W, C) -> (H/s, W/s, filters)`.

    Args:
        x: Feature map, shape `(batch, height, width, channels)`.
        filters: Number of output channels, at least 1.
        kernel_size: Side of the square kernel in pixels.
        strides: Stride in both directions; the padding is SAME.
        activation: "relu6", "relu" or any other Keras activation name.
        name: Name of the convolution; `_bn` and the activation's are appended.

    Source: arXiv 1704.04861, figure 3 (left).
    """
    x = layers.Conv2D(
        filters, kernel_size, strides, padding="same", use_bias=False, name=name
    )(x)
    return _bn_relu(x, activation, name)


def depthwise_separable(x, filters, strides=1, *, activation="relu6", name):
    """Depthwise 3x3, then pointwise 1x1, each with batch normalisation and activation.

    `(H, W, C) -> (H/s, W/s, filters)`; the layers are `{name}_depthwise` and
    `{name}_pointwise`.

    Source: arXiv 1704.04861, section 3.1 and figure 3 (right).
    """
    depthwise = f"{name}_depthwise"
    x = layers.DepthwiseConv2D(
        3, strides, padding="same", use_bias=False, name=depthwise
    )(x)
    x = _bn_relu(x, activation, depthwise)
    return conv_bn_relu(x, filters, 1, activation=activation, name=f"{name}_pointwise")


def fused_separable(x, filters, strides=1, *, activation="relu6", name):
    """One `SeparableConv2D`: no normalisation or activation after the depthwise part.

    `(H, W, C) -> (H/s, W/s, filters)`; the layer is `{name}_separable`.
    """
    name = f"{name}_separable"
    x = layers.SeparableConv2D(
        filters, 3, strides, padding="same", use_bias=False, name=name
    )(x)
    return _bn_relu(x, activation, name)


def full_convolution(x, filters, strides=1, *, activation="relu6", name):
    """A standard 3x3 convolution in the place of a depthwise separable one.

    `(H, W, C) -> (H/s, W/s, filters)`; the layer is `{name}_conv`.

    Source: arXiv 1704.04861, section 4.1 and table 4 ("Conv MobileNet").
    """
    return conv_bn_relu(
        x, filters, 3, strides, activation=activation, name=f"{name}_conv"
    )


def _bn_relu(x, activation, name):
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    return activate(x, activation, name=f"{name}_relu")


def activate(x, activation, *, name):
    """Apply `activation`; ReLU and ReLU6 become `keras.layers.ReLU`."""
    if activation in ("relu", "relu6"):
        ceiling = 6.0 if activation == "relu6" else None
        return layers.ReLU(max_value=ceiling, name=name)(x)
    return layers.Activation(keras.activations.get(activation), name=name)(x)
