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


def half_pointwise(x, filters, strides=1, *, activation="relu6", name):
    """A standard convolution with half of its 3x3 filters replaced by 1x1 filters.

    `(H, W, C) -> (H/s, W/s, filters)`; the layers are `{name}_conv3x3`,
    `{name}_conv1x1` and their concatenation `{name}`.

    Source: arXiv 1602.07360, section 3.1, strategy 1.
    """
    parts = [
        conv_bn_relu(x, count, size, strides, activation=activation, name=part)
        for count, size, part in (
            (filters // 2, 1, f"{name}_conv1x1"),
            (filters - filters // 2, 3, f"{name}_conv3x3"),
        )
    ]
    return layers.Concatenate(name=name)(parts)


def grouped_separable(
    x, filters, strides=1, *, activation="relu6", name, groups=4, shuffle=False
):
    """Depthwise separable block whose 1x1 convolution works in separate groups.

    `(H, W, C) -> (H/s, W/s, filters)`, with `groups` times fewer pointwise weights.
    C and `filters` are multiples of `groups`. With `shuffle` the channels of all groups
    are mixed before the next block; without it, no group ever sees another one's.

    Source: Zhang et al., "ShuffleNet", arXiv 1707.01083, section 3.1.
    """
    if x.shape[-1] % groups or filters % groups:
        raise ValueError(
            f"groups must divide the {x.shape[-1]} channels before {name!r} and its "
            f"{filters} filters, got {groups}"
        )
    depthwise, pointwise = f"{name}_depthwise", f"{name}_pointwise"
    x = layers.DepthwiseConv2D(
        3, strides, padding="same", use_bias=False, name=depthwise
    )(x)
    x = _bn_relu(x, activation, depthwise)
    x = layers.Conv2D(filters, 1, groups=groups, use_bias=False, name=pointwise)(x)
    x = _bn_relu(x, activation, pointwise)
    return channel_shuffle(x, groups) if shuffle else x


def shuffled_separable(x, filters, strides=1, *, activation="relu6", name):
    """`grouped_separable` with the channels shuffled after it."""
    return grouped_separable(
        x, filters, strides, activation=activation, name=name, shuffle=True
    )


def channel_shuffle(x, groups):
    """Deal the channels of each group out to all groups: `(H, W, C) -> (H, W, C)`.

    Source: arXiv 1707.01083, section 3.1.
    """
    each = x.shape[-1] // groups
    dealt = [group * each + place for place in range(each) for group in range(groups)]
    return keras.ops.take(x, dealt, axis=-1)


def fire(x, squeeze, expand1x1, expand3x3, *, name):
    """Fire module: a squeeze layer of 1x1, an expand layer of 1x1 and 3x3 filters.

    `(H, W, C) -> (H, W, expand1x1 + expand3x3)`; the layers are `{name}_squeeze`,
    `{name}_expand1x1`, `{name}_expand3x3` and the concatenation `{name}`. An expand
    part of 0 filters is left out. Weights start from He's normal distribution, biases
    from zero; there is no normalisation.

    Source: arXiv 1602.07360, section 3.2 and figure 1.
    """
    x = conv_relu(x, squeeze, 1, name=f"{name}_squeeze")
    parts = [
        conv_relu(x, filters, size, name=f"{name}_expand{size}x{size}")
        for filters, size in ((expand1x1, 1), (expand3x3, 3))
        if filters
    ]
    if len(parts) == 1:
        return parts[0]
    return layers.Concatenate(name=name)(parts)


def conv_relu(x, filters, kernel_size, strides=1, *, padding="same", groups=1, name):
    """Convolution with bias, then ReLU, as SqueezeNet and its rivals use it."""
    x = layers.Conv2D(
        filters,
        kernel_size,
        strides,
        padding=padding,
        groups=groups,
        kernel_initializer="he_normal",
        name=name,
    )(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def ceil_max_pool(x, *, name):
    """3x3 max pooling, stride 2, over windows that may hang over the last edge.

    `(H, W, C) -> (ceil((H - 3) / 2) + 1, ..., C)`, Caffe's rule. Keras' "same" padding
    takes the same windows where the side is even, "valid" where it is odd.
    """
    padding = "valid" if x.shape[1] % 2 else "same"
    return layers.MaxPooling2D(3, 2, padding=padding, name=name)(x)


def _bn_relu(x, activation, name):
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    return activate(x, activation, name=f"{name}_relu")


def activate(x, activation, *, name):
    """Apply `activation`; ReLU and ReLU6 become `keras.layers.ReLU`."""
    if activation in ("relu", "relu6"):
        ceiling = 6.0 if activation == "relu6" else None
        return layers.ReLU(max_value=ceiling, name=name)(x)
    return layers.Activation(keras.activations.get(activation), name=name)(x)


def pooled(x, pooling):
    """The end of a network without its top: `(h, w, C)`, or `(C,)` for "avg", "max"."""
    if pooling == "avg":
        return layers.GlobalAveragePooling2D(name="pool")(x)
    if pooling == "max":
        return layers.GlobalMaxPooling2D(name="pool")(x)
    return x
