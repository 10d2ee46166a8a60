"""SqueezeNet: the paper's Fire modules, with and without bypass connections.

Source: Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters
and <0.5MB model size", arXiv 1602.07360.
"""

from __future__ import annotations

import math
from os import PathLike

import keras
from keras import layers

from mobilenet_tf import arguments
from mobilenet_tf.models import (
    hub_files,
    squeezenet_release,
    weight_loading,
    weights_file,
)
from mobilenet_tf.models.blocks import pooled
from mobilenet_tf.models.squeezenet_blocks import (
    FireRow,
    ceil_max_pool,
    conv_relu,
    fire_rows,
    fire_with_bypass,
)

# Filters and kernel size of conv1, and the layers followed by max pooling. The authors'
# later version 1.1 has 2.4 times fewer mult-adds at the same accuracy.
VERSIONS = {
    "1.0": (96, 7, ("conv1", "fire4", "fire8")),
    "1.1": (64, 3, ("conv1", "fire3", "fire5")),
}
BYPASSES = ("none", "simple", "complex")
BORDERS = ("caffe", "valid")
SUFFIXES = (*weight_loading.SUFFIXES, ".net")


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
    weights: str | PathLike[str] | None = None,
    name: str | None = None,
) -> keras.Model:
    """SqueezeNet: `(resolution, resolution, 3) -> (classes,)`.

    The model is a flat functional graph of stock Keras layers. It expects RGB images
    scaled to [-1, 1], as `mobilenet_tf.preprocess_input` returns them. The i-th Fire
    module, counted from 0, has `base_e + incr_e * (i // freq)` expand filters, of which
    the fraction `pct_3x3` is 3x3, and `squeeze_ratio` times as many squeeze filters.

    Args:
        version: "1.0" (the paper's) or "1.1" (the authors' smaller one).
        bypass: "none"; "simple" adds the input to the output of each Fire module that
            keeps the number of channels; "complex" does so for the other modules too,
            through a 1x1 convolution.
        classes: Number of classes, at least 1. Ignored without `include_top`.
        resolution: Side of the input in pixels: at least 29 for version "1.0" and 25
            for "1.1", 6 more with `border="valid"`.
        border: "caffe" (the authors' released networks): the last pooling window may be
            partial, and version 1.0 pads conv10 by one pixel. "valid": neither.
        base_e: Expand filters of the first Fire module, at least 1.
        incr_e: Additional expand filters after every `freq` modules, at least 0.
        pct_3x3: Fraction of 3x3 filters among the expand filters, in [0, 1].
        freq: Number of consecutive modules of equal size, at least 1.
        squeeze_ratio: Squeeze filters per expand filter, in (0, 1].
        dropout: Dropout rate after fire9, in [0, 1).
        include_top: Whether to include dropout, conv10 and average pooling.
        pooling: Output without the top: None for the feature map, "avg" or "max" for
            `(channels,)`.
        classifier_activation: Activation after average pooling; None returns logits.
            With "sigmoid", conv10 has no ReLU, because a label that is absent needs a
            negative logit.
        weights: None for random initialisation, or the path of a `.h5` or `.keras` file
            of this network, or of the authors' compressed `.net` file of version 1.0
            without bypass; or the name of a network on the Hugging Face Hub,
            `hf://USER/NAME` or `hf://USER/NAME@REVISION`. A classifier with another
            number of classes is skipped with a warning. A `.h5` file does not tell
            simple bypass from no bypass.
        name: Name of the model.

    Returns:
        A `keras.Model`, float32 `(batch, resolution, resolution, 3) ->
        (batch, classes)`; probabilities that sum to 1 by default.

    Raises:
        ImportError: The hub is named, and huggingface_hub is not installed.
        ValueError: An argument is outside its range, or weights cannot be had or do not
            fit; nothing has been built.

    Source: arXiv 1602.07360, Table 1, sections 3, 5.1 and 6.
    """
    arguments.one_of("version", version, VERSIONS)
    arguments.one_of("bypass", bypass, BYPASSES)
    arguments.one_of("border", border, BORDERS)
    arguments.top(classes, dropout, include_top, pooling, classifier_activation, name)
    rows = fire_rows(base_e, incr_e, pct_3x3, freq, squeeze_ratio)
    _check_resolution(version, border, resolution)
    if hub_files.is_hub_name(weights):
        weights = hub_files.download(weights)
    stored = _check_weights(weights, version, bypass, rows)

    filters, kernel_size, pooled_layers = VERSIONS[version]

    def pool(x: keras.KerasTensor, layer: str) -> keras.KerasTensor:
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
        x = pool(fire_with_bypass(x, row, bypass, f"fire{index}"), f"fire{index}")
    if include_top:
        pad = border == "caffe" and version == "1.0"
        x = _top(x, classes, dropout, pad, classifier_activation)
    else:
        x = pooled(x, pooling)

    model = keras.Model(
        images, x, name=name or f"squeezenet_{version}".replace(".", "_")
    )
    if stored is not None:
        weight_loading.load(model, stored)
    elif weights is not None:
        squeezenet_release.load(model, weights)
    return model


def _top(
    x: keras.KerasTensor,
    classes: int,
    dropout: float,
    pad: bool,
    activation: str | None,
) -> keras.KerasTensor:
    x = layers.Dropout(dropout, name="dropout")(x)
    if pad:
        x = layers.ZeroPadding2D(1, name="conv10_pad")(x)
    # The standard deviation of the kernel is the authors'. The positive initial bias is
    # ours: without it all outputs can become negative in the first steps; the ReLU then
    # has no gradient and the loss stays at ln(classes).
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


def _check_resolution(version: str, border: str, resolution: int) -> None:
    minimum = next(side for side in range(1, 227) if _last_side(version, border, side))
    why = (
        f" pixels for version {version!r} with border={border!r}, which leaves at "
        "least 3x3 pixels for each of the three pooling layers"
    )
    arguments.integer("resolution", resolution, minimum, why)


def _is_release(weights: str | PathLike[str]) -> bool:
    """Whether the file is the authors' compressed `.net` file."""
    return str(weights).endswith(".net")


def _check_weights(
    weights: str | PathLike[str] | None, version: str, bypass: str, rows: list[FireRow]
) -> weights_file.StoredWeights | None:
    """What a Keras file holds; ValueError for a file of another network."""
    weight_loading.check(weights, SUFFIXES)
    if weights is None:
        return None
    if not _is_release(weights):
        filters, size, _ = VERSIONS[version]
        expected = (size, size, 3, filters)
        stored = weights_file.read(weights)
        kernel = stored.first_kernel()
        if kernel != expected:
            raise ValueError(
                f"weights must be of version {version!r}, whose conv1 kernel has the "
                f"shape {expected}; the first kernel in {str(weights)!r} has {kernel}"
            )
        return stored
    if version != "1.0" or bypass != "none" or rows != fire_rows():
        raise ValueError(
            "weights of the authors' .net file need version='1.0', bypass='none' and "
            f"the paper's Fire modules; got version={version!r}, bypass={bypass!r}, "
            f"(squeeze, expand 1x1, expand 3x3) filters {rows}"
        )
    return None


def _last_side(version: str, border: str, resolution: int) -> int:
    """Side of the last feature map in pixels; 0 if the input is too small."""
    side = (resolution - VERSIONS[version][1]) // 2 + 1
    for _ in range(3):
        if side < 3:
            return 0
        round_side = math.ceil if border == "caffe" else math.floor
        side = round_side((side - 3) / 2) + 1
    return side
