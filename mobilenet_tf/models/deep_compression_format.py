"""Reader of Deep Compression files: 8-bit codebook indices and 4-bit gaps.

Layout, little-endian, for a network of n layers:

1. n uint32: the number of stored entries of each layer.
2. For each layer: a codebook of 256 float32 whose entry 0 is zero; the biases as
   float32; one byte per stored entry, its index into the codebook; one gap per stored
   entry, 4 bits each, the low half of a byte first. An entry is `gap + 1` positions
   after the previous one in the flattened Caffe-ordered `(out, in, height, width)`
   kernel. Runs of more than 15 zeros contain stored entries of value zero.

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
        indices: uint8, the codebook index of every stored entry.
        positions: int64, the position of every stored entry in the flattened kernel.
        shape: Shape of the kernel, `(out, in, height, width)`.
    """

    codebook: np.ndarray
    bias: np.ndarray
    indices: np.ndarray
    positions: np.ndarray
    shape: tuple[int, int, int, int]

    @property
    def weights(self) -> np.ndarray:
        """The kernel, float32 `(out, in, height, width)`; zero without an entry."""
        flat = np.zeros(math.prod(self.shape), "float32")
        flat[self.positions] = self.codebook[self.indices]
        return flat.reshape(self.shape)


def read(
    path: str | PathLike[str], shapes: list[tuple[int, int, int, int]]
) -> list[CompressedLayer]:
    """Read a file whose kernels have the given `(out, in, height, width)` shapes.

    Raises:
        ValueError: The file is truncated, too long, damaged or of another network.
    """
    data = Path(path).read_bytes()
    header = 4 * len(shapes)
    if len(data) < header:
        raise _damaged(path, f"it has {len(data)} bytes")
    counts = np.frombuffer(data[:header], "<u4")
    if any(counts > [math.prod(shape) for shape in shapes]):
        raise _damaged(path, "the counts of stored entries do not fit the network")
    counts = counts.tolist()
    expected = header + sum(map(_layer_bytes, counts, shapes))
    if len(data) != expected:
        raise _damaged(path, f"it has {len(data):,} bytes instead of {expected:,}")
    layers, offset = [], header
    for count, shape in zip(counts, shapes, strict=True):
        layers.append(_read_layer(path, data, offset, count, shape))
        offset += _layer_bytes(count, shape)
    return layers


def _layer_bytes(count: int, shape: tuple[int, int, int, int]) -> int:
    """Size in bytes of a layer with `count` stored entries."""
    return 4 * (CODEBOOK_SIZE + shape[0]) + count + (count + 1) // 2


def _read_layer(
    path: str | PathLike[str],
    data: bytes,
    offset: int,
    count: int,
    shape: tuple[int, int, int, int],
) -> CompressedLayer:
    floats = np.frombuffer(data, "<f4", CODEBOOK_SIZE + shape[0], offset)
    codebook, bias = floats[:CODEBOOK_SIZE], floats[CODEBOOK_SIZE:]
    offset += floats.nbytes
    indices = np.frombuffer(data, "u1", count, offset)
    packed = np.frombuffer(data, "u1", (count + 1) // 2, offset + count)
    gaps = np.stack([packed & 15, packed >> 4], axis=1).ravel()[:count]
    positions = np.cumsum(gaps.astype("int64") + 1) - 1
    if codebook[0] != 0 or not np.isfinite(codebook).all():
        raise _damaged(path, "a codebook does not begin with zero or is not finite")
    if not np.isfinite(bias).all():
        raise _damaged(path, "a bias is not finite")
    size = math.prod(shape)
    if count and positions[-1] >= size:
        raise _damaged(path, f"the position of an entry is beyond the {size:,} weights")
    return CompressedLayer(codebook, bias, indices, positions, shape)


def _damaged(path: str | PathLike[str], reason: str) -> ValueError:
    return ValueError(
        f"weights file {str(path)!r} is damaged or of another network: {reason}"
    )
