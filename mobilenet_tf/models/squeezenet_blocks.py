"""The building blocks of SqueezeNet, as functions from tensor to tensor.

As in `blocks`, they consist of stock `keras.layers`, named after the `name` of their
block, on channels-last feature maps.
"""

from __future__ import annotations

import math

from keras import KerasTensor, layers

from mobilenet_tf import arguments

FIRE_MODULES = 8  # fire2 to fire9

FireRow = tuple[int, int, int]  # squeeze, expand 1x1 and expand 3x3 filters


def fire_rows(
    base_e: int = 128,
    incr_e: int = 128,
    pct_3x3: float = 0.5,
    freq: int = 2,
    squeeze_ratio: float = 0.125,
) -> list[FireRow]:
    """`(squeeze, expand 1x1, expand 3x3)` filters of fire2 to fire9.

    The arguments are those of `build_squeezenet`.

    Raises:
        ValueError: A metaparameter is outside its range, or the squeeze layers would
            have no filters.

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
    for index in range(FIRE_MODULES):
        expand = base_e + incr_e * (index // freq)
        expand_3x3 = _nearest(expand * pct_3x3)
        rows.append((_nearest(expand * squeeze_ratio), expand - expand_3x3, expand_3x3))
    if rows[0][0] < 1:
        raise ValueError(
            "squeeze_ratio * base_e must be at least 0.5, or squeeze layers have no "
            f"filters; got squeeze_ratio={squeeze_ratio!r} and base_e={base_e}"
        )
    return rows


def fire_with_bypass(
    x: KerasTensor, row: FireRow, bypass: str, name: str
) -> KerasTensor:
    """Fire module, with its input added to its output if it has a bypass."""
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


def fire(
    x: KerasTensor, squeeze: int, expand1x1: int, expand3x3: int, *, name: str
) -> KerasTensor:
    """Fire module: squeeze layer of 1x1 filters, expand layer of 1x1 and 3x3 filters.

    `(H, W, C) -> (H, W, expand1x1 + expand3x3)`; the layers are `{name}_squeeze`,
    `{name}_expand1x1`, `{name}_expand3x3` and the concatenation `{name}`. With 0
    filters of one size, that layer and the concatenation are omitted. Kernels are
    initialised from He's normal distribution, biases with zero; there is no batch
    normalisation.

    Source: arXiv 1602.07360, section 3.2 and figure 1.
    """
    x = conv_relu(x, squeeze, 1, name=f"{name}_squeeze")
    branches = [
        conv_relu(x, filters, size, name=f"{name}_expand{size}x{size}")
        for filters, size in ((expand1x1, 1), (expand3x3, 3))
        if filters
    ]
    if len(branches) == 1:
        return branches[0]
    return layers.Concatenate(name=name)(branches)


def conv_relu(
    x: KerasTensor,
    filters: int,
    kernel_size: int,
    strides: int = 1,
    *,
    padding: str = "same",
    groups: int = 1,
    name: str,
) -> KerasTensor:
    """Convolution with bias, then ReLU; used by networks without normalisation.

    `(H, W, C) -> (H/s, W/s, filters)` with SAME padding; the layers are `{name}` and
    `{name}_relu`.
    """
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


def ceil_max_pool(x: KerasTensor, *, name: str) -> KerasTensor:
    """3x3 max pooling, stride 2, with Caffe's rounding: the last window may be partial.

    `(H, W, C) -> (ceil((H - 3) / 2) + 1, ..., C)`. Keras' "same" padding gives the same
    windows if H is even, "valid" padding if H is odd.
    """
    padding = "valid" if x.shape[1] % 2 else "same"
    return layers.MaxPooling2D(3, 2, padding=padding, name=name)(x)


def _nearest(value: float) -> int:
    return math.floor(value + 0.5)
