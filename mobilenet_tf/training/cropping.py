"""Cropping, mirroring and resizing a whole batch as two matrix products.

A resized crop is linear and separable: `rows @ image @ columns.T`, where each matrix
holds the weights of a triangle filter. Two batched products do it on every backend, on
the accelerator where there is one, and antialiasing comes for free.
"""

from typing import Any

import keras
from keras import ops


def sampling_matrix(start: Any, end: Any, source: int, target: int) -> Any:
    """Weights that resample `[start, end]` of `source` pixels to `target` pixels.

    `(batch,), (batch,) -> (batch, target, source)`; every row sums to 1. The filter is
    a triangle, widened where the image shrinks (antialiasing). With `start > end` the
    result is mirrored.
    """
    step = ops.expand_dims((end - start) * (source / target), 1)  # (batch, 1)
    index = ops.arange(target, dtype="float32") + 0.5
    centre = ops.expand_dims(start * source, 1) + index * step - 0.5
    distance = ops.abs(
        ops.expand_dims(centre, 2) - ops.arange(source, dtype="float32")
    )  # (batch, target, source)
    support = ops.expand_dims(ops.maximum(ops.abs(step), 1.0), 2)
    weights = ops.relu(1.0 - distance / support)
    return weights / ops.sum(weights, axis=2, keepdims=True)


def crop_resize(
    images: Any,
    boxes: Any,
    side: int,
    input_range: tuple[float, float] = (-1.0, 1.0),
) -> Any:
    """Cut a box out of each image and scale it to a network's input.

    `uint8 (batch, S, 3, S), float32 (batch, 4) -> float32 (batch, side, side, 3)`.

    Images come as rows of colour planes, `(row, channel, column)`: both products then
    work on contiguous memory. Boxes are `(top, left, bottom, right)` in fractions of
    the image. Black becomes the first value of `input_range`, white the second.
    """
    source = images.shape[1]
    rows = sampling_matrix(boxes[:, 0], boxes[:, 2], source, side)
    columns = sampling_matrix(boxes[:, 1], boxes[:, 3], source, side)
    x = ops.cast(ops.reshape(images, (-1, source, 3 * source)), "float32")
    x = ops.matmul(rows, x)  # (batch, side, 3 * source)
    x = ops.reshape(x, (-1, 3 * side, source))
    x = ops.matmul(x, ops.transpose(columns, (0, 2, 1)))
    x = ops.reshape(x, (-1, side, 3, side))
    low, high = input_range
    x = ops.transpose(x, (0, 1, 3, 2)) * ((high - low) / 255)
    return x + low if low else x


def blend(crops: Any, blends: Any) -> Any:
    """Blend each crop with that of its partner: neighbours in the batch are partners.

    `(batch, side, side, 3), (batch, 5) -> (batch, side, side, 3)` for an even batch.
    A blend is `(share, top, left, bottom, right)`: inside the box, in fractions of the
    side, the partner has this share, outside of it none.
    """
    side = crops.shape[1]
    share, top, left, bottom, right = ops.split(blends, 5, axis=1)  # each (batch, 1)
    centre = (ops.arange(side, dtype="float32") + 0.5) / side
    rows = ops.cast(ops.logical_and(centre >= top, centre < bottom), "float32")
    columns = ops.cast(ops.logical_and(centre >= left, centre < right), "float32")
    inside = ops.expand_dims(rows * share, 2) * ops.expand_dims(columns, 1)
    inside = ops.expand_dims(inside, 3)  # (batch, side, side, 1)
    pairs = ops.reshape(crops, (-1, 2, side, side, 3))
    partners = ops.reshape(ops.flip(pairs, axis=1), (-1, side, side, 3))
    return crops + inside * (partners - crops)


class CropResize(keras.layers.Layer):
    """`crop_resize` as a layer that takes `[images, crops]`.

    Crops are boxes `(batch, 4)`; or `(batch, 9)`, each with a blend of `blend` after
    it.
    """

    def __init__(
        self, side: int, input_range: tuple[float, float] = (-1.0, 1.0), **kwargs
    ):
        super().__init__(**kwargs)
        self.side, self.input_range = side, input_range

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        images, _ = input_shape
        return (images[0], self.side, self.side, 3)

    def call(self, inputs: Any) -> Any:
        images, crops = inputs
        resized = crop_resize(images, crops[:, :4], self.side, self.input_range)
        return resized if crops.shape[1] == 4 else blend(resized, crops[:, 4:])
