"""Adaptive models of float32 values and of codebooks.

Counts are updated while coding, so that no histogram is stored, and are kept from one
tensor to the next. See `coder` for the two directions.
"""

from __future__ import annotations

import numpy as np

from mobilenet_tf.codec.coder import Coder, blocks


class Floats:
    """float32 as bits: sign and exponent by their counts, the mantissa as it is."""

    MANTISSA = 23
    _BLOCK = 32

    def __init__(self) -> None:
        self._counts = np.full(512, 0.02)

    def code(self, coder: Coder, values: np.ndarray, zeros: int = 0) -> np.ndarray:
        """Code the bits of float32 values.

        Args:
            coder: The encoder or decoder.
            values: uint32 `(n,)`. A decoder uses the shape alone.
            zeros: How many of their lowest bits are zero and take no space, 0 to 23.

        Returns:
            uint32 `(n,)`.
        """
        values = values.astype("int64")
        result = np.empty(len(values), "int64")
        for block in blocks(len(values), self._BLOCK):
            high = coder.symbols(values[block] >> self.MANTISSA, self._counts)
            self._counts += np.bincount(high, minlength=len(self._counts))
            low = (values[block] & ((1 << self.MANTISSA) - 1)) >> zeros
            low = coder.integers(low, self.MANTISSA - zeros) << zeros
            result[block] = (high << self.MANTISSA) | low
        return result.astype("uint32")


def zero_bits(bits: np.ndarray) -> int:
    """How many of the lowest bits are zero in all of some float32, at most 23.

    Args:
        bits: uint32, of any shape.
    """
    together = int(np.bitwise_or.reduce(bits, axis=None)) | 1 << Floats.MANTISSA
    return (together & -together).bit_length() - 1


def code_zero_bits(coder: Coder, zeros: int) -> int:
    """Code the number of `zero_bits`.

    Raises:
        ValueError: A decoder reads a larger one.
    """
    (zeros,) = coder.integers(np.array([zeros]), 5).tolist()
    if zeros > Floats.MANTISSA:
        raise ValueError(f"floats must have at most 23 zero bits, got {zeros}")
    return zeros


class Codebook:
    """Ascending numbers: their differences, each about as large as the one before."""

    _SIZES = 4 * 33  # four times a difference's bits, and its two bits after the first
    _FIRST = 80  # a guess of the first size: 20 bits
    _BLOCK = 16

    def __init__(self) -> None:
        self._counts = np.full(2 * self._SIZES, 0.02)  # of changes between sizes

    def code(self, coder: Coder, values: np.ndarray) -> np.ndarray:
        """Code ascending numbers of 32 bits.

        Args:
            coder: The encoder or decoder.
            values: Integers `(n,)`, each larger than the one before. A decoder uses the
                shape alone.

        Returns:
            int64 `(n,)`.

        Raises:
            ValueError: A decoder reads symbols that no encoder writes.
        """
        first = coder.integers(values[:1].astype("int64"), 32)
        differences = self._differences(coder, np.diff(values.astype("int64")))
        return np.cumsum(np.concatenate([first, differences]))

    def _differences(self, coder, differences):
        sizes = self._code_sizes(coder, _sizes(differences))
        result = np.empty(len(sizes), "int64")
        for size in np.unique(sizes).tolist():
            equal = sizes == size
            result[equal] = _code_low_bits(coder, differences[equal], size)
        return result

    def _code_sizes(self, coder, sizes):
        result, previous = np.empty(len(sizes), "int64"), self._FIRST
        for block in blocks(len(sizes), self._BLOCK):
            before = np.concatenate([[previous], sizes[block][:-1]])
            changes = coder.symbols(sizes[block] - before + self._SIZES, self._counts)
            self._counts += np.bincount(changes, minlength=len(self._counts))
            result[block] = previous + np.cumsum(changes - self._SIZES)
            previous = result[block][-1]
        if not ((result >= 4) & (result < self._SIZES)).all():
            raise ValueError("a codebook is damaged: a difference has no such size")
        return result


def _sizes(differences):
    """Four times the number of bits, plus the two bits after the highest one."""
    bits = np.frexp(differences.astype("float64"))[1].astype("int64")
    return 4 * bits + ((differences << 2 >> np.maximum(bits - 1, 0)) & 3)


def _code_low_bits(coder, differences, size):
    """Differences of one size, of which the three highest bits are known."""
    bits, next_two = size >> 2, size & 3
    low = max(bits - 3, 0)
    high = (4 + next_two) << low if bits >= 3 else (4 + next_two) >> (3 - bits)
    return high + coder.integers(differences & ((1 << low) - 1), low)
