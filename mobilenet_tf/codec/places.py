"""What is likely: adaptive models of places in a codebook.

All learn while they code, so that no histogram is stored, and go on learning from one
tensor to the next where tensors are alike. See `coder` for the two directions.
"""

from __future__ import annotations

import numpy as np

from mobilenet_tf.codec.coder import blocks
from mobilenet_tf.codec.masks import ROWS, Signs


class Places:
    """Places in a sorted codebook: first on which side of zero, then how far from it.

    Args:
        negative: How many values of the codebook are negative.
        positive: How many are not.
        signs: What was learned of signs before.
    """

    _LEARNING = 3.0  # weights that a channel's mean is held back by

    def __init__(self, negative: int, positive: int, signs: Signs):
        self._negative, self._positive = negative, positive
        self._signs = signs
        # A side without values is never asked.
        self._below, self._above = Symbols(max(negative, 1)), Symbols(max(positive, 1))

    def code(self, coder, places: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Places where the mask is true, of `(positions, filters, input channels)`."""
        positions, filters, channels = mask.shape
        size = float(self._negative + self._positive)
        kernels = np.zeros((2, filters, channels))
        inputs = np.zeros((2, channels))
        result = np.zeros(mask.shape, "int64")
        for position in range(positions):
            for rows in blocks(filters, ROWS):
                here = mask[position, rows]
                kernel = kernels[0, rows] / np.maximum(kernels[1, rows], 1.0)
                channel = inputs[0] / (inputs[1] + self._LEARNING)
                means = kernel[here], np.broadcast_to(channel, here.shape)[here]
                found = self._block(
                    coder, places[position, rows][here], *(m / size for m in means)
                )
                result[position, rows][here] = found
                sums = np.zeros(here.shape)
                sums[here] = found - self._negative + (found >= self._negative)
                kernels[:, rows] += sums, here
                inputs += sums.sum(0), here.sum(0)
        return result[mask]

    def _block(self, coder, places, kernels, channels):
        above = places >= self._negative
        if self._negative and self._positive:
            above = self._signs.code(coder, above, kernels, channels)
        else:
            above = np.full(len(places), self._positive > 0)
        found = np.empty(len(places), "int64")
        found[~above] = self._below.code(coder, places[~above])
        beyond = self._above.code(coder, places[above] - self._negative)
        found[above] = beyond + self._negative
        return found


class Symbols:
    """Numbers from 0 of which neighbours are about equally likely.

    Args:
        count: How many numbers there are.
    """

    _LEAST = 0.3  # what a symbol counts that has not been seen, nor its neighbours
    _BLOCK = 64

    def __init__(self, count: int):
        self._counts = np.zeros(count)
        # Each number's neighbours on both sides; beyond the ends, the ends again.
        reach = len(_BINOMIAL) // 2
        self._neighbours = np.arange(-reach, count + reach).clip(0, count - 1)

    def code(self, coder, values: np.ndarray) -> np.ndarray:
        """Integers `(n,)` from 0 to below the count."""
        result = np.empty(len(values), "int64")
        for block in blocks(len(values), self._BLOCK):
            found = coder.symbols(values[block], self._weights())
            self._counts += np.bincount(found, minlength=len(self._counts))
            result[block] = found
        return result

    def _weights(self):
        """Counts, and one more per symbol, distributed as the smoothed counts are."""
        smooth = self._counts
        for _ in range(_TIMES):
            # Whole numbers, whose sums do not depend on the order.
            smooth = np.correlate(smooth.take(self._neighbours), _BINOMIAL, "valid")
        smooth += round(self._LEAST * _SMOOTHED)
        return self._counts + smooth * (len(smooth) / smooth.sum())


_BINOMIAL = np.array([1.0, 4, 6, 4, 1])
_TIMES = 4
_SMOOTHED = _BINOMIAL.sum() ** _TIMES
