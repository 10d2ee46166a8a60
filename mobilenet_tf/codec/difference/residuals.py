"""Adaptive models of how far values are from what the old file predicts.

Counts are updated while coding and kept from one tensor to the next. See `coder` for
the two directions.
"""

from __future__ import annotations

import numpy as np

from mobilenet_tf.codec.coder import Coder, blocks
from mobilenet_tf.codec.masks import COLUMNS, ODDS, ROWS, Density, share_of_ones, steps

CHANGE_CONTEXTS = 32
SIGN_CONTEXTS = 8
SIZE_CONTEXTS = 40
# Thresholds of the absolute residual that its channel and its row let expect.
_EXPECTED = np.array([0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0])
_SIZES = 4 * 34  # four times a number's bits, and its two bits after the first
_PRIOR = 4.0  # weight of the mean of all, in residuals


class Residuals:
    """Integers that are mostly zero or small: whether zero, the sign, then the size.

    Whether a residual is zero depends on how many of its channel and of its row have
    been so far, and on a context of the caller's; its size depends on how large those
    of its channel and of its row have been.
    """

    def __init__(self) -> None:
        self._changes = np.full((len(ODDS) + 1, CHANGE_CONTEXTS, 2), 0.4)
        self._signs = np.full((SIGN_CONTEXTS, 2), 1.0)
        self._sizes = np.full((SIZE_CONTEXTS, len(_EXPECTED) + 1, _SIZES), 0.02)

    def code(
        self,
        coder: Coder,
        residuals: np.ndarray,
        changes: np.ndarray,
        signs: np.ndarray,
        sizes: np.ndarray,
    ) -> np.ndarray:
        """Code integers between -2**33 and 2**33.

        Args:
            coder: The encoder or decoder.
            residuals: int64 `(channels, rows)`. A decoder uses the shape alone.
            changes: Contexts of whether a residual is zero, of the same shape, below
                `CHANGE_CONTEXTS`.
            signs: Contexts of the signs, likewise.
            sizes: Contexts of the sizes, likewise.

        Returns:
            int64 of the same shape.
        """
        channels, rows = residuals.shape
        if rows == 1 < channels:  # a vector, whose blocks would be of 8 values
            turned = (array.T for array in (residuals, changes, signs, sizes))
            return self.code(coder, *turned).T
        density, sums = Density(channels, rows), _Sums(channels, rows)
        result = np.zeros(residuals.shape, "int64")
        for here in blocks(channels, ROWS):
            for there in blocks(rows, COLUMNS):
                own = residuals[here, there]
                odds = steps(density.odds(here, there), ODDS)
                changed = self._code_changes(coder, own, odds, changes[here, there])
                expected = steps(sums.expected(here, there), _EXPECTED)[changed]
                own = own[changed]
                positive = self._code_signs(coder, own > 0, signs[here, there][changed])
                size = self._code_sizes(
                    coder, np.abs(own), sizes[here, there][changed], expected
                )
                block = np.zeros(changed.shape, "int64")
                block[changed] = np.where(positive, size, -size)
                result[here, there] = block
                density.add(here, there, changed)
                sums.add(here, there, np.abs(block))
        return result

    def _code_changes(self, coder, residuals, odds, contexts):
        context = odds, contexts
        bits = coder.bits(residuals != 0, share_of_ones(self._changes[context]))
        np.add.at(self._changes, (*context, bits.astype(int)), 1.0)
        return bits

    def _code_signs(self, coder, positive, contexts):
        bits = coder.bits(positive, share_of_ones(self._signs[contexts]))
        np.add.at(self._signs, (contexts, bits.astype(int)), 1.0)
        return bits

    def _code_sizes(self, coder, numbers, contexts, expected):
        result = np.zeros(len(numbers), "int64")
        both = contexts * (len(_EXPECTED) + 1) + expected
        for context in np.unique(both).tolist():
            chosen = both == context
            counts = self._sizes[divmod(context, len(_EXPECTED) + 1)]
            result[chosen] = self._code_size(coder, numbers[chosen], counts)
        return result

    def _code_size(self, coder, numbers, counts):
        codes = coder.symbols(_size_codes(numbers), counts)
        counts += np.bincount(codes, minlength=_SIZES)
        if not (codes >= 4).all():
            raise ValueError("a residual has no such size")
        result = np.empty(len(codes), "int64")
        for code in np.unique(codes).tolist():
            equal = codes == code
            bits, low = code >> 2, max((code >> 2) - 3, 0)
            high = (4 + (code & 3)) << low >> max(3 - bits, 0)
            rest = numbers[equal] & ((1 << low) - 1)
            result[equal] = high + coder.integers(rest, low)
        return result


class _Sums:
    """Sums of absolute residuals, by channel and by row."""

    def __init__(self, channels: int, rows: int) -> None:
        self._channels = np.zeros((2, channels))  # sums and numbers
        self._rows = np.zeros((2, rows))
        self._all = np.zeros(2)

    def expected(self, here: slice, there: slice) -> np.ndarray:
        """What the means so far let expect, float64 `(channels, rows)`."""
        mean = (self._all[0] + 0.5) / (self._all[1] + 1.0)

        def means(sums):
            return (sums[0] + _PRIOR * mean) / (sums[1] + _PRIOR)

        channel, row = means(self._channels[:, here]), means(self._rows[:, there])
        return channel[:, None] * row / mean

    def add(self, here: slice, there: slice, residuals: np.ndarray) -> None:
        """Add the absolute residuals of a block."""
        channels, rows = residuals.shape
        self._channels[:, here] += residuals.sum(1), np.full(channels, rows)
        self._rows[:, there] += residuals.sum(0), np.full(rows, channels)
        self._all += residuals.sum(), residuals.size


def _size_codes(numbers):
    """Four times the number of bits, plus the two bits after the highest one."""
    bits = np.frexp(numbers.astype("float64"))[1].astype("int64")
    return 4 * bits + ((numbers << 2 >> np.maximum(bits - 1, 0)) & 3)
