"""The pieces that a new file consists of, one after the other."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from mobilenet_tf.codec import masks

LITERAL, COPY, CHANGED, TENSOR, PRODUCT = range(5)
# Types of the elements of a tensor, little-endian.
TYPES = ("<f4", "i1", "<i4")
FLOAT32, INT8, INT32 = range(3)
# How the values of a float32 tensor are coded.
FLOATS, SAME_CODEBOOK, MOVED_CODEBOOK, NEW_CODEBOOK, MULTIPLES = range(5)


@dataclasses.dataclass(frozen=True)
class Tensor:
    """A matrix in a file.

    Attributes:
        offset: Of its first byte.
        type: Of its elements, an index of `TYPES`.
        rows: Weights of a channel.
        channels: Output channels.
        channels_last: Whether the channels of a row are neighbours.
        scales: Where the float32 scales of the channels are, for integers; None without
            scales.
        scale_count: 1, or as many as channels.
    """

    offset: int
    type: int
    rows: int
    channels: int
    channels_last: bool = True
    scales: int | None = None
    scale_count: int = 1

    @property
    def size(self) -> int:
        """Bytes."""
        return self.rows * self.channels * np.dtype(TYPES[self.type]).itemsize

    @property
    def blocks(self) -> int:
        """Blocks that it is coded in."""
        if self.rows == 1:
            return math.ceil(self.channels / masks.COLUMNS)
        rows = math.ceil(self.rows / masks.COLUMNS)
        return rows * math.ceil(self.channels / masks.ROWS)


@dataclasses.dataclass(frozen=True)
class Piece:
    """One piece of a new file.

    Attributes:
        kind: One of `LITERAL` to `PRODUCT`.
        offset: In the new file.
        size: Bytes.
        old: Where its counterpart begins in the old file, for `COPY` and `CHANGED`.
        tensor: For `TENSOR` and `PRODUCT`, what is coded.
        reference: For `TENSOR`, its counterpart in the old file; None without.
        values: For `TENSOR`, one of `FLOATS` to `MULTIPLES`.
        channel_map: For `TENSOR`, the counterpart of each channel, -1 without; None
            means that all stayed.
        factors: For `PRODUCT`, where the vector and the scalar are in the new file
            whose product predicts it.
    """

    kind: int
    offset: int
    size: int
    old: int = 0
    tensor: Tensor | None = None
    reference: Tensor | None = None
    values: int = FLOATS
    channel_map: tuple[int, ...] | None = None
    factors: tuple[int, int] = (0, 0)
