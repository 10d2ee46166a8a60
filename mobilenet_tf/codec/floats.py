"""What is likely: adaptive models of floats, and of the values of a codebook.

All learn while they code, so that no histogram is stored, and go on learning from one
tensor to the next where tensors are alike. See `coder` for the two directions.
"""

from __future__ import annotations

import numpy as np

from mobilenet_tf.codec.coder import blocks


class Floats:
    """float32 as bits: sign and exponent by their counts, the mantissa as it is."""

    _MANTISSA = 23
    _BLOCK = 32

    def __init__(self):
        self._counts = np.full(512, 0.02)

    def code(self, coder, values: np.ndarray) -> np.ndarray:
        """uint32 `(n,)`."""
        values = values.astype("int64")
        result = np.empty(len(values), "int64")
        for block in blocks(len(values), self._BLOCK):
            high = coder.symbols(values[block] >> self._MANTISSA, self._counts)
            self._counts += np.bincount(high, minlength=len(self._counts))
            low = values[block] & ((1 << self._MANTISSA) - 1)
            low = coder.integers(low, self._MANTISSA)
            result[block] = (high << self._MANTISSA) | low
        return result.astype("uint32")


class Codebook:
    """Ascending numbers: their distances, about as large as the ones before."""

    _SIZES = 4 * 33  # a distance's bits, and its two bits below the highest
    _BLOCK = 16

    def __init__(self):
        self._changes = np.full(2 * self._SIZES, 0.02)

    def code(self, coder, values: np.ndarray) -> np.ndarray:
        """Integers `(n,)` of 32 bits, each larger than the one before."""
        first = coder.integers(values[:1].astype("int64"), 32)
        distances = self._distances(coder, np.diff(values.astype("int64")))
        return np.cumsum(np.concatenate([first, distances]))

    def _distances(self, coder, distances):
        sizes, previous = _sizes(distances), 80  # 20 bits, a guess for the first
        found = np.empty(len(sizes), "int64")
        for block in blocks(len(sizes), self._BLOCK):
            before = np.concatenate([[previous], sizes[block][:-1]])
            changes = coder.symbols(sizes[block] - before + self._SIZES, self._changes)
            self._changes += np.bincount(changes, minlength=len(self._changes))
            found[block] = previous + np.cumsum(changes - self._SIZES)
            previous = found[block][-1]
        if not ((found >= 4) & (found < self._SIZES)).all():
            raise ValueError("a codebook is damaged: a distance has no such size")
        result = np.empty(len(sizes), "int64")
        for size in np.unique(found).tolist():
            which = found == size
            result[which] = _from_size(coder, distances[which], size)
        return result


def _sizes(distances):
    """Four times the number of bits, plus the two bits below the highest."""
    bits = np.frexp(distances.astype("float64"))[1].astype("int64")
    return 4 * bits + ((distances << 2 >> np.maximum(bits - 1, 0)) & 3)


def _from_size(coder, distances, size):
    bits, next_two = size >> 2, size & 3
    low = max(bits - 3, 0)
    known = (4 + next_two) << low if bits >= 3 else (4 + next_two) >> (3 - bits)
    return known + coder.integers(distances & ((1 << low) - 1), low)
