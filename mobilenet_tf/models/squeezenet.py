"""SqueezeNet: Fire modules in the macroarchitectures of the paper.

Source: Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters
and <0.5MB model size", arXiv 1602.07360.
"""

from __future__ import annotations

import math
from os import PathLike

import keras
from keras import layers

from mobilenet_tf import arguments
from mobilenet_tf.models import squeezenet_release, weight_loading
from mobilenet_tf.models.blocks import ceil_max_pool, conv_relu, fire, pooled

# (filters, kernel size) of conv1, and the layers that max pooling follows. Version 1.1
# is the authors' later one: 2.4 times fewer mult-adds at the same accuracy.
VERSIONS = {
    "1.0": (96, 7, ("conv1", "fire4", "fire8")),
    "1.1": (64, 3, ("conv1", "fire3", "fire5")),
}
BYPASSES = ("none", "simple", "complex")
BORDERS = ("caffe", "valid")
FIRES = 8  # fire2 to fire9
FORMATS = (*weight_loading.SUFFIXES, ".net")


def build_squeezenet(
    version: str = "1.0",
    bypass: str = "none",
    *,
    classes: int = 1000,
    resolution: int = 227,
    border: str = "caffe",
    base_e: int = 128,
    incr_e: int = 128,
    pct_3x3: float = 0.5,
    freq: int = 2,
    squeeze_ratio: float = 0.125,
    dropout: float = 0.5,
    include_top: bool = True,
    pooling: str | None = None,
    classifier_activation: str | None = "softmax",
    weights: str | PathLike | None = None,
    name: str | None = None,
) -> keras.Model:
    """SqueezeNet: `(resolution, resolution, 3) -> (classes,)`.

    A flat functional model of stock Keras layers. It expects RGB scaled to [-1, 1], as
    MobileNet does. The i-th Fire module, i from 0, has `base_e + incr_e * (i // freq)`
    expand filters, of which the share `pct_3x3` are 3x3, and squeezes to
    `squeeze_ratio` times as many.

    Args:
        version: "1.0", the paper's, or "1.1", the authors' smaller one.
        bypass: "none"; "simple" adds the input of each Fire module that keeps the
            number of channels to its output; "complex" adds a 1x1 convolution of the
            input of the others too.
        classes: Number of classes, at least 1. Only used with `include_top`.
        resolution: Side of the input in pixels: at least 29 for version "1.0", 25 for
            "1.1", and 6 more with `border="valid"`.
        border: "caffe", as the authors: pooling windows hang over the last edge, and
            version 1.0 pads conv10 by one pixel; "valid": neither.
        base_e: Expand filters of the first Fire module, at least 1.
        incr_e: Expand filters more after every `freq` modules, at least 0.
        pct_3x3: Share of 3x3 filters among the expand filters, in [0, 1].
        freq: Number of modules of equal size, at least 1.
        squeeze_ratio: Squeeze filters per expand filter, in (0, 1].
        dropout: Fraction dropped after fire9, in [0, 1).
        include_top: Whether dropout, conv10 and average pooling are included.
        pooling: Without the top: None for the feature map, "avg" or "max" for its
            `(channels,)`.
        classifier_activation: Applied to the averages; None returns logits. Before a
            "sigmoid" conv10 has no ReLU, since an attribute that is absent needs a
            logit below zero.
        weights: None for random initialisation, the path of a `.h5` or `.keras` file
            of the same network, or of the authors' compressed `.net` file of version
            1.0 without bypass. A classifier of other classes is left out, with a
            warning. A `.h5` file does not say whether it is of simple bypass or none.
        name: Name of the model.

    Returns:
        A `keras.Model`, float32 `(batch, resolution, resolution, 3) ->
        (batch, classes)`; probabilities that sum to 1 by default.

    Raises:
        ValueError: An argument is outside its range; nothing has been built.

    Source: arXiv 1602.07360, Table 1, sections 3, 5.1 and 6.
    """
    arguments.one_of("version", version, VERSIONS)
    arguments.one_of("bypass", bypass, BYPASSES)
    arguments.one_of("border", border, BORDERS)
    arguments.top(classes, dropout, include_top, pooling, classifier_activation, name)
    rows = fire_rows(base_e, incr_e, pct_3x3, freq, squeeze_ratio)
    _check_resolution(version, border, resolution)
    authors = _check_weights(weights, version, bypass, rows)

    filters, kernel_size, pooled_layers = VERSIONS[version]

    def pool(x, layer):
        if layer not in pooled_layers:
            return x
        pool_name = layer.replace("conv", "pool").replace("fire", "pool")
        if border == "caffe":
            return ceil_max_pool(x, name=pool_name)
        return layers.MaxPooling2D(3, 2, name=pool_name)(x)

    images = keras.Input((resolution, resolution, 3), name="image")
    x = conv_relu(images, filters, kernel_size, 2, padding="valid", name="conv1")
    x = pool(x, "conv1")
    for index, row in enumerate(rows, start=2):
        x = pool(_bypassed(x, row, bypass, f"fire{index}"), f"fire{index}")
    if include_top:
        padded = border == "caffe" and version == "1.0"
        x = _top(x, classes, dropout, padded, classifier_activation)
    else:
        x = pooled(x, pooling)

    model = keras.Model(
        images, x, name=name or f"squeezenet_{version}".replace(".", "_")
    )
    if authors:
        squeezenet_release.load(model, weights)
    elif weights is not None:
        weight_loading.load(model, weights)
    return model


def fire_rows(base_e=128, incr_e=128, pct_3x3=0.5, freq=2, squeeze_ratio=0.125):
    """`(squeeze, expand 1x1, expand 3x3)` filters of fire2 to fire9.

    Raises:
        ValueError: A metaparameter is outside its range, or gives a layer no filters.

    Source: arXiv 1602.07360, section 5.1.
    """
    arguments.integer("base_e", base_e)
    arguments.integer("incr_e", incr_e, 0)
    arguments.integer("freq", freq)
    arguments.number("pct_3x3", pct_3x3, lambda value: 0 <= value <= 1, "in [0, 1]")
    arguments.number(
        "squeeze_ratio", squeeze_ratio, lambda value: 0 < value <= 1, "in (0, 1]"
    )
    rows = []
    for index in range(FIRES):
        expand = base_e + incr_e * (index // freq)
        expand_3x3 = _nearest(expand * pct_3x3)
        rows.append((_nearest(expand * squeeze_ratio), expand - expand_3x3, expand_3x3))
    if rows[0][0] < 1:
        raise ValueError(
            "squeeze_ratio * base_e must be at least 0.5, a filter for the squeeze "
            f"layers, got squeeze_ratio={squeeze_ratio!r} and base_e={base_e}"
        )
    return rows


def _bypassed(x, row, bypass, name):
    """A Fire module, with its input added to its output where there is a bypass."""
    y = fire(x, *row, name=name)
    if bypass == "none":
        return y
    if x.shape[-1] != y.shape[-1]:
        if bypass == "simple":
            return y
        x = layers.Conv2D(
            y.shape[-1], 1, kernel_initializer="he_normal", name=f"{name}_bypass"
        )(x)
    return layers.Add(name=f"{name}_add")([x, y])


def _top(x, classes, dropout, padded, activation):
    x = layers.Dropout(dropout, name="dropout")(x)
    if padded:
        x = layers.ZeroPadding2D(1, name="conv10_pad")(x)
    # The small initial weights are the authors'. The bias starts classes above zero:
    # all could fall below in early steps, where the ReLU has no gradient, and the loss
    # would stay at ln(classes) for good.
    x = layers.Conv2D(
        int(classes),
        1,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
        bias_initializer=keras.initializers.Constant(1.0),
        name="conv10",
    )(x)
    if keras.activations.get(activation) is not keras.activations.sigmoid:
        x = layers.ReLU(name="conv10_relu")(x)
    x = layers.GlobalAveragePooling2D(name="pool10")(x)
    return layers.Activation(activation or "linear", name="classifier")(x)


def _check_resolution(version, border, resolution):
    least = next(side for side in range(1, 227) if _last_side(version, border, side))
    why = (
        f" pixels for version {version!r} with border={border!r}, since 3x3 pooling "
        "follows three times"
    )
    arguments.integer("resolution", resolution, least, why)


def _check_weights(weights, version, bypass, rows):
    """Whether they are the authors'; raises for those of another network."""
    weight_loading.check(weights, FORMATS)
    if weights is None:
        return False
    if not str(weights).endswith(".net"):
        filters, size, _ = VERSIONS[version]
        found, expected = weight_loading.first_kernel(weights), (size, size, 3, filters)
        if found != expected:
            raise ValueError(
                f"weights must be of version {version!r}, whose conv1 is {expected}; "
                f"the first kernel in {str(weights)!r} is {found}"
            )
        return False
    if version != "1.0" or bypass != "none" or rows != fire_rows():
        raise ValueError(
            "weights of the authors' .net file are of version '1.0' with the paper's "
            f"Fire modules, without bypass; got version={version!r}, "
            f"bypass={bypass!r}, squeeze, expand 1x1 and 3x3 filters {rows}"
        )
    squeezenet_release.read(weights)  # raises for a damaged file
    return True


def _last_side(version, border, resolution):
    """Side of the last feature map in pixels; 0 where a layer finds no whole window."""
    side = (resolution - VERSIONS[version][1]) // 2 + 1
    for _ in range(3):
        if side < 3:
            return 0
        round_side = math.ceil if border == "caffe" else math.floor
        side = round_side((side - 3) / 2) + 1
    return side


def _nearest(value):
    return math.floor(value + 0.5)
