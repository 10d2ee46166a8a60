"""The SqueezeNet authors' compressed file: 8-bit codes into codebooks, 4-bit gaps.

Layout, little-endian, one entry per layer in the order conv1, then squeeze, expand1x1
and expand3x3 of fire2 to fire9, then conv10:

1. 26 uint32: the number of stored entries of each layer.
2. For each layer in turn: a codebook of 256 float32, whose entry 0 is zero; the biases
   as float32; one byte per stored entry, its place in the codebook; and one gap per
   stored entry, 4 bits each, low half first. An entry stands `gap + 1` places after the
   one before it in the Caffe-ordered `(out, in, height, width)` weights. Where more
   than 16 places are zero, an entry with the value zero is stored in between.

Source: Han et al., "Deep Compression", arXiv 1510.00149, section 2, and the file of
github.com/songhan/SqueezeNet-Deep-Compression.
"""

from __future__ import annotations

import dataclasses
import math
from os import PathLike
from pathlib import Path

import numpy as np

CODEBOOK_SIZE = 256


@dataclasses.dataclass(frozen=True)
class CompressedLayer:
    """One layer of the file.

    Attributes:
        codebook: float32 `(256,)`.
        bias: float32 `(out,)`.
        codes: uint8, the place in the codebook of every stored entry.
        positions: int64, where it stands in the flattened weights.
        shape: `(out, in, height, width)`.
    """

    codebook: np.ndarray
    bias: np.ndarray
    codes: np.ndarray
    positions: np.ndarray
    shape: tuple[int, int, int, int]

    @property
    def weights(self) -> np.ndarray:
        """float32 `(out, in, height, width)`, zero where no entry is stored."""
        flat = np.zeros(math.prod(self.shape), "float32")
        flat[self.positions] = self.codebook[self.codes]
        return flat.reshape(self.shape)


def read(
    path: str | PathLike, shapes: list[tuple[int, int, int, int]]
) -> list[CompressedLayer]:
    """Read a file whose layers have the given `(out, in, height, width)` shapes.

    Raises:
        ValueError: The file is truncated, too long, damaged, or of other shapes.
    """
    data = Path(path).read_bytes()
    header, sizes = 4 * len(shapes), [math.prod(shape) for shape in shapes]
    if len(data) < header:
        raise _damaged(path, f"it has {len(data)} bytes")
    counts = np.frombuffer(data[:header], "<u4")
    if any(counts > sizes):
        raise _damaged(path, "the counts of stored entries do not fit the network")
    expected = header + sum(
        4 * (CODEBOOK_SIZE + shape[0]) + int(count) + (int(count) + 1) // 2
        for count, shape in zip(counts, shapes, strict=True)
    )
    if len(data) != expected:
        raise _damaged(path, f"it has {len(data):,} bytes instead of {expected:,}")
    layers = []
    offset = header

    def take(dtype, count):
        nonlocal offset
        part = np.frombuffer(data, dtype, count, offset)
        offset += part.nbytes
        return part

    for count, shape, size in zip(counts.tolist(), shapes, sizes, strict=True):
        codebook, bias = take("<f4", CODEBOOK_SIZE), take("<f4", shape[0])
        codes, packed = take("u1", count), take("u1", (count + 1) // 2)
        gaps = np.stack([packed & 15, packed >> 4], axis=1).ravel()[:count]
        positions = np.cumsum(gaps.astype("int64") + 1) - 1
        if codebook[0] != 0 or not np.isfinite(codebook).all():
            raise _damaged(path, "a codebook does not begin with zero or is not finite")
        if not np.isfinite(bias).all():
            raise _damaged(path, "a bias is not finite")
        if count and positions[-1] >= size:
            raise _damaged(path, f"an entry stands behind the last of {size:,} weights")
        layers.append(CompressedLayer(codebook, bias, codes, positions, shape))
    return layers


def _damaged(path, reason):
    return ValueError(
        f"weights file {str(path)!r} is damaged or of another network: {reason}"
    )
