"""Adaptive models of which weights are zero, and of the signs of the others.

Counts are updated while coding, so that no histogram is stored, and are kept from one
tensor to the next. See `coder` for the two directions.
"""

from __future__ import annotations

import numpy as np

from mobilenet_tf.codec.coder import Coder, blocks

# Thresholds of odds, four per octave from 1/128 to 128; exact on every machine.
ODDS = np.array([m * 2.0**e for e in range(-7, 7) for m in (1, 1.25, 1.5, 1.75)])
_FILLED = np.array([0.01, 0.2, 0.4, 0.65])
ROWS, COLUMNS = 8, 64
_PRIOR = 4.0  # weight of the mean density, in positions


Indexer = np.ndarray | slice  # of rows or columns


class Mask:
    """Positions of the nonzero weights.

    The context of a position is how many weights that are not zero its filter, its
    input channel and its own kernel have had so far: the product of the odds of the
    first two, and the share of the third, both in steps.
    """

    def __init__(self) -> None:
        self._counts = np.full((len(ODDS) + 1, len(_FILLED) + 2, 2), 0.4)

    def code(self, coder: Coder, mask: np.ndarray) -> np.ndarray:
        """Code a mask, true where a weight is not zero.

        Args:
            coder: The encoder or decoder.
            mask: bool `(positions in the kernel, filters, input channels)`. A decoder
                uses the shape alone.

        Returns:
            bool of the same shape.
        """
        positions, filters, channels = mask.shape
        density = Density(filters, channels)
        filled = np.zeros((filters, channels))
        result = np.zeros(mask.shape, bool)
        for position in range(positions):
            for rows in blocks(filters, ROWS):
                for columns in blocks(channels, COLUMNS):
                    odds = steps(density.odds(rows, columns), ODDS)
                    kernel = np.zeros(odds.shape, int)
                    if position:
                        share = filled[rows, columns] / position
                        kernel = 1 + steps(share, _FILLED)
                    probabilities = share_of_ones(self._counts[odds, kernel])
                    bits = coder.bits(mask[position, rows, columns], probabilities)
                    np.add.at(self._counts, (odds, kernel, bits.astype(int)), 1.0)
                    density.add(rows, columns, bits)
                    filled[rows, columns] += bits
                    result[position, rows, columns] = bits
        return result


def steps(values: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """For each value, how many of the ascending thresholds are at most as large."""
    return thresholds.searchsorted(values, "right")


def share_of_ones(counts: np.ndarray) -> np.ndarray:
    """The share of ones in counts of zeros and ones, on the last axis."""
    ones = counts[..., 1]
    return ones / (counts[..., 0] + ones)


class Density:
    """Shares of weights that are not zero, by filter and by input channel."""

    def __init__(self, filters: int, channels: int):
        self._filters = np.zeros((2, filters))
        self._channels = np.zeros((2, channels))
        self._ones = self._total = 0.0

    def odds(self, rows: Indexer, columns: Indexer) -> np.ndarray:
        """Odds that a weight is not zero, `(rows, columns)`."""
        mean = (self._ones + 0.5) / (self._total + 1.0)

        def odds(counts):
            share = (counts[0] + _PRIOR * mean) / (counts[1] + _PRIOR)
            return share / (1.0 - share)

        row, column = odds(self._filters[:, rows]), odds(self._channels[:, columns])
        return row[:, None] * column * ((1.0 - mean) / mean)

    def add(self, rows: Indexer, columns: Indexer, bits: np.ndarray) -> None:
        """Count which weights of these rows and columns are not zero."""
        self._filters[0, rows] += bits.sum(1)
        self._filters[1, rows] += bits.shape[1]
        self._channels[0, columns] += bits.sum(0)
        self._channels[1, columns] += bits.shape[0]
        self._ones += bits.sum()
        self._total += bits.size


class Signs:
    """Signs of the weights.

    The context of a weight is the mean of its kernel so far, and of its input channel
    so far, both in steps of a codebook's size.
    """

    _KERNEL = np.array([-2.4, -1.4, -0.6, -0.02, 0.02, 0.6, 1.4, 2.4]) / 12
    _CHANNEL = np.array([-1.2, -0.6, -0.2, 0.2, 0.6, 1.2]) / 12

    def __init__(self) -> None:
        shape = (len(self._KERNEL) + 1, len(self._CHANNEL) + 1, 2)
        self._counts = np.full(shape, 1.0)

    def code(
        self,
        coder: Coder,
        positive: np.ndarray,
        kernels: np.ndarray,
        channels: np.ndarray,
    ) -> np.ndarray:
        """Code the signs of some weights.

        Args:
            coder: The encoder or decoder.
            positive: bool `(n,)`. A decoder uses the shape alone.
            kernels: Mean of each weight's kernel, as a fraction of the codebook's size.
            channels: Mean of each weight's input channel, likewise.

        Returns:
            bool `(n,)`.
        """
        context = steps(kernels, self._KERNEL), steps(channels, self._CHANNEL)
        bits = coder.bits(positive, share_of_ones(self._counts[context]))
        np.add.at(self._counts, (*context, bits.astype(int)), 1.0)
        return bits
