"""MobileNet: the layers of the paper's Table 1, and `build(alpha, rho)`.

Source: Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile
Vision Applications", arXiv 1704.04861.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from os import PathLike

import keras
from keras import layers

from mobilenet_tf import arguments
from mobilenet_tf.models import conventions, hub_files, imagenet, weight_loading
from mobilenet_tf.models.blocks import (
    Options,
    conv_bn_relu,
    depthwise_separable,
    pooled,
)

STEM_FILTERS = 32

# (filters, strides) of the 13 depthwise separable blocks, in the order of Table 1.
# Deviation: the table prints stride 2 for the last depthwise layer; its input and
# output sizes (both 7x7) and the text's 569 million mult-adds require stride 1.
BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *[(512, 1)] * 5,
    (1024, 2),
    (1024, 1),
)

# Without the five blocks at 14x14x512: "Shallow MobileNet" of Table 5.
SHALLOW_BLOCKS = BLOCKS[:6] + BLOCKS[11:]

ALPHAS = (1.0, 0.75, 0.5, 0.25)  # Table 6
RHOS = (1.0, 6 / 7, 5 / 7, 4 / 7)  # Table 7: 224, 192, 160 and 128 px
MIN_SIDE = 32  # five layers have stride 2
WEIGHT_SUFFIXES = (*weight_loading.SUFFIXES, ".safetensors")


def build(
    alpha: float = 1.0,
    rho: float = 1.0,
    *,
    classes: int = 1000,
    base_resolution: int = 224,
    activation: str = "relu6",
    dropout: float = 1e-3,
    include_top: bool = True,
    pooling: str | None = None,
    classifier_activation: str | None = "softmax",
    weights: str | PathLike[str] | None = None,
    name: str | None = None,
    block: Callable[..., keras.KerasTensor] = depthwise_separable,
    blocks: Sequence[tuple[int, int]] = BLOCKS,
    hidden_units: Sequence[int] = (),
    padding: str | None = None,
    epsilon: float | None = None,
) -> keras.Model:
    """MobileNet with width multiplier alpha and resolution multiplier rho.

    `(side, side, 3) -> (classes,)` with `side = round(base_resolution * rho)`. The
    model is a flat functional graph of stock Keras layers. It expects RGB images scaled
    to [-1, 1], as `mobilenet_tf.preprocess_input` returns them.

    Args:
        alpha: Width multiplier in (0, 2]. Every layer has `round(filters * alpha)`
            channels, at least 1; `mobilenet_tf.analysis.cost.summary` lists them.
        rho: Resolution multiplier > 0 that gives a side of at least 32 pixels.
        classes: Number of classes, at least 1. Ignored without `include_top`.
        base_resolution: Side of the input in pixels at `rho=1`.
        activation: "relu6" (the authors' released code), "relu" (the paper's text) or
            another Keras activation name.
        dropout: Dropout rate before the classifier, in [0, 1).
        include_top: Whether to include global pooling, dropout and the classifier.
        pooling: Output without the top: None for the feature map `(h, w, channels)`,
            "avg" or "max" for `(channels,)`.
        classifier_activation: Activation of the classifier; None returns logits.
        weights: None for random initialisation; "imagenet" for the weights that
            `keras.applications` publishes for 16 pairs of alpha and side, which are
            downloaded once into its cache; the path of a `.h5` or `.keras` file of this
            network or of `keras.applications.MobileNet`, or of a `.safetensors` file of
            timm's `mobilenetv1_100` or `mobilenetv1_125`; or the name of one on the
            Hugging Face Hub, `hf://USER/NAME`, `hf://USER/NAME@REVISION` or
            `timm/NAME`. A classifier with another number of classes is skipped with a
            warning.
        name: Name of the model.
        block: Function that builds a block, from `mobilenet_tf.models.blocks`:
            `depthwise_separable`, `full_convolution` (Table 4), `fused_separable`,
            `half_pointwise`, `grouped_separable` or `shuffled_separable`.
        blocks: `(filters, strides)` of each block; `SHALLOW_BLOCKS` gives Table 5.
        hidden_units: Units of fully connected layers before the classifier; the paper's
            networks have none.
        padding: Of strided convolutions: "same" pads an even side below and to the
            right, as TensorFlow does, "symmetric" pads all four sides, as PyTorch does.
            None takes what the weights were trained with, "same" without weights or
            where their file does not tell.
        epsilon: Of batch normalisation, > 0. None takes what the weights were trained
            with, or Keras' 1e-3.

    Returns:
        A `keras.Model`, float32 `(batch, side, side, 3) -> (batch, classes)`;
        probabilities that sum to 1 by default.

    Raises:
        ImportError: The weights need a package that is not installed.
        ValueError: An argument is outside its range, or weights cannot be had or do not
            fit.

    Source: arXiv 1704.04861, Table 1 and sections 3.2 to 3.4.
    """
    check_alpha(alpha)
    side = input_side(rho, base_resolution)
    arguments.top(classes, dropout, include_top, pooling, classifier_activation, name)
    arguments.function("block", block)
    arguments.integers("hidden_units", hidden_units)
    for pair in arguments.sequence("blocks", blocks):
        arguments.integers("blocks", pair, 2)
    arguments.activation("activation", activation)
    conventions.check(padding, epsilon)
    if weights == "imagenet":
        with_classifier = include_top and classes == imagenet.CLASSES
        weights = imagenet.weights_file(alpha, side, with_classifier=with_classifier)
    elif hub_files.is_hub_name(weights):
        weights = hub_files.download_weights(weights)
    weight_loading.check(weights, WEIGHT_SUFFIXES)
    stored = None if weights is None else weight_loading.read(weights)
    chosen = conventions.resolve(padding, epsilon, stored)
    options: Options = {
        "activation": activation,
        "padding": chosen.padding,
        "epsilon": chosen.epsilon,
    }

    images = keras.Input((side, side, 3), name="image")
    x = conv_bn_relu(
        images, width(STEM_FILTERS, alpha), strides=2, name="stem", **options
    )
    for index, (filters, strides) in enumerate(blocks, start=1):
        x = block(x, width(filters, alpha), strides, name=f"block{index}", **options)
    if include_top:
        x = layers.GlobalAveragePooling2D(name="pool")(x)
        for index, units in enumerate(hidden_units, start=1):
            x = layers.Dense(units, activation="relu", name=f"hidden{index}")(x)
        x = layers.Dropout(dropout, name="dropout")(x)
        x = layers.Dense(
            int(classes), activation=classifier_activation, name="classifier"
        )(x)
    else:
        x = pooled(x, pooling)

    model = keras.Model(images, x, name=name or f"mobilenet_{alpha:g}_{side}")
    if stored is not None:
        weight_loading.load(
            model,
            stored,
            advice=lambda filters: f"pass alpha={filters / STEM_FILTERS:g} to load it",
        )
    return model


def width(filters: int, alpha: float) -> int:
    """Channels at width multiplier alpha: `round(filters * alpha)`, at least 1."""
    return max(1, math.floor(filters * alpha + 0.5))


def check_alpha(alpha: float) -> None:
    """Raise ValueError unless alpha is a number in (0, 2]."""
    arguments.number("alpha", alpha, lambda value: 0 < value <= 2, "in (0, 2]")


def input_side(rho: float, base_resolution: int = 224) -> int:
    """Side of the input in pixels, `round(base_resolution * rho)`, at least 32."""
    arguments.integer("base_resolution", base_resolution)
    arguments.number("rho", rho, lambda value: value > 0, "> 0")
    side = math.floor(base_resolution * rho + 0.5)
    if side < MIN_SIDE:
        raise ValueError(
            f"rho must give a side of at least {MIN_SIDE} pixels, that is rho >= "
            f"{MIN_SIDE / base_resolution:.4g} at base_resolution={base_resolution}, "
            f"got rho={rho!r} (side {side})"
        )
    return side
