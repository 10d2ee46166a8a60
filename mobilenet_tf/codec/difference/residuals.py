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
_SIZES = 4 * 34  # four times a number's bits, and its two bits after the first
_BLOCK = 512


class Residuals:
    """Integers that are mostly zero or small: whether zero, the sign, then the size.

    Whether a residual is zero depends on how many of its channel and of its row have
    been so far, and on a context of the caller's.
    """

    def __init__(self) -> None:
        self._changes = np.full((len(ODDS) + 1, CHANGE_CONTEXTS, 2), 0.4)
        self._signs = np.full((SIGN_CONTEXTS, 2), 1.0)
        self._sizes = np.full((SIZE_CONTEXTS, _SIZES), 0.02)

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
        if (
            residuals.shape[1] == 1 < len(residuals)
        ):  # a vector, whose blocks would be of 8 values
            turned = (array.T for array in (residuals, changes, signs, sizes))
            return self.code(coder, *turned).T
        changed = self._code_changes(coder, residuals != 0, changes)
        positive = self._code_signs(coder, residuals[changed] > 0, signs[changed])
        size = self._code_sizes(coder, np.abs(residuals[changed]), sizes[changed])
        result = np.zeros(residuals.shape, "int64")
        result[changed] = np.where(positive, size, -size)
        return result

    def _code_changes(self, coder, changed, contexts):
        channels, rows = changed.shape
        density, result = Density(channels, rows), np.zeros(changed.shape, bool)
        for here in blocks(channels, ROWS):
            for there in blocks(rows, COLUMNS):
                odds = steps(density.odds(here, there), ODDS)
                context = odds, contexts[here, there]
                bits = coder.bits(
                    changed[here, there], share_of_ones(self._changes[context])
                )
                np.add.at(self._changes, (*context, bits.astype(int)), 1.0)
                density.add(here, there, bits)
                result[here, there] = bits
        return result

    def _code_signs(self, coder, positive, contexts):
        result = np.zeros(len(positive), bool)
        for block in blocks(len(positive), _BLOCK):
            context = contexts[block]
            bits = coder.bits(positive[block], share_of_ones(self._signs[context]))
            np.add.at(self._signs, (context, bits.astype(int)), 1.0)
            result[block] = bits
        return result

    def _code_sizes(self, coder, numbers, contexts):
        result = np.zeros(len(numbers), "int64")
        for block in blocks(len(numbers), _BLOCK):
            own = np.zeros(block.stop - block.start, "int64")
            for context in np.unique(contexts[block]):
                chosen = contexts[block] == context
                own[chosen] = self._code_size(coder, numbers[block][chosen], context)
            result[block] = own
        return result

    def _code_size(self, coder, numbers, context):
        counts = self._sizes[context]
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


def _size_codes(numbers):
    """Four times the number of bits, plus the two bits after the highest one."""
    bits = np.frexp(numbers.astype("float64"))[1].astype("int64")
    return 4 * bits + ((numbers << 2 >> np.maximum(bits - 1, 0)) & 3)
