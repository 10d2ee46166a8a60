"""Adaptive models of indices into a codebook.

Counts are updated while coding, so that no histogram is stored. See `coder` for the two
directions.
"""

from __future__ import annotations

import numpy as np

from mobilenet_tf.codec.coder import Coder, blocks
from mobilenet_tf.codec.masks import ROWS, Signs


class Indices:
    """Indices into a sorted codebook: first the sign of the value, then which it is.

    Args:
        negative: How many values of the codebook are negative.
        positive: How many are not.
        signs: The model of signs, with its counts of earlier tensors.
    """

    _PRIOR = 3.0  # weight of zero in a channel's mean, in weights

    def __init__(self, negative: int, positive: int, signs: Signs) -> None:
        self._negative, self._positive = negative, positive
        self._signs = signs
        # A sign without values is never coded.
        self._below, self._above = Symbols(max(negative, 1)), Symbols(max(positive, 1))

    def code(self, coder: Coder, indices: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Code the indices where a mask is true.

        Args:
            coder: The encoder or decoder.
            indices: Integers `(positions in the kernel, filters, input channels)`. A
                decoder ignores them.
            mask: bool of the same shape.

        Returns:
            int64 `(n,)`, those where the mask is true, in order.
        """
        positions, filters, channels = mask.shape
        size = float(self._negative + self._positive)
        kernels = np.zeros((2, filters, channels))
        inputs = np.zeros((2, channels))
        result = np.zeros(mask.shape, "int64")
        for position in range(positions):
            for rows in blocks(filters, ROWS):
                here = mask[position, rows]
                kernel = kernels[0, rows] / np.maximum(kernels[1, rows], 1.0)
                channel = inputs[0] / (inputs[1] + self._PRIOR)
                means = kernel[here], np.broadcast_to(channel, here.shape)[here]
                coded = self._block(
                    coder, indices[position, rows][here], *(m / size for m in means)
                )
                result[position, rows][here] = coded
                sums = np.zeros(here.shape)
                sums[here] = coded - self._negative + (coded >= self._negative)
                kernels[:, rows] += sums, here
                inputs += sums.sum(0), here.sum(0)
        return result[mask]

    def _block(self, coder, indices, kernels, channels):
        above = indices >= self._negative
        if self._negative and self._positive:
            above = self._signs.code(coder, above, kernels, channels)
        else:
            above = np.full(len(indices), self._positive > 0)
        result = np.empty(len(indices), "int64")
        result[~above] = self._below.code(coder, indices[~above])
        beyond = self._above.code(coder, indices[above] - self._negative)
        result[above] = beyond + self._negative
        return result


class Symbols:
    """Numbers from 0 of which neighbours are about equally likely.

    Args:
        count: How many numbers there are.
    """

    _LEAST = 0.3  # count of a symbol that has not been seen, nor its neighbours
    _BLOCK = 64

    def __init__(self, count: int) -> None:
        self._counts = np.zeros(count)
        # Each number's neighbours on both sides; beyond the ends, the ends again.
        reach = len(_BINOMIAL) // 2
        self._neighbours = np.arange(-reach, count + reach).clip(0, count - 1)

    def code(self, coder: Coder, values: np.ndarray) -> np.ndarray:
        """Code integers `(n,)` from 0 to below the count.

        Args:
            coder: The encoder or decoder.
            values: Integers `(n,)`. A decoder uses the shape alone.

        Returns:
            int64 `(n,)`.
        """
        result = np.empty(len(values), "int64")
        for block in blocks(len(values), self._BLOCK):
            symbols = coder.symbols(values[block], self._weights())
            self._counts += np.bincount(symbols, minlength=len(self._counts))
            result[block] = symbols
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
