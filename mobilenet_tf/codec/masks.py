"""What is likely: adaptive models of zeros and signs.

All learn while they code, so that no histogram is stored, and go on learning from one
tensor to the next where tensors are alike. See `coder` for the two directions.
"""

from __future__ import annotations

import numpy as np

from mobilenet_tf.codec.coder import blocks

# Thresholds of odds, four per octave from 1/128 to 128; exact on every machine.
_ODDS = np.array([m * 2.0**e for e in range(-7, 7) for m in (1, 1.25, 1.5, 1.75)])
_FILLED = np.array([0.01, 0.2, 0.4, 0.65])
ROWS, COLUMNS = 8, 64
_PRIOR = 4.0  # weight of the mean density, in positions


class Mask:
    """Where weights are not zero.

    A position's context is how dense its filter, its input channel and its own kernel
    have been so far: the odds of the first two, multiplied, in steps, and the filled
    part of the third.
    """

    def __init__(self):
        self._counts = np.full((len(_ODDS) + 1, len(_FILLED) + 2, 2), 0.4)

    def code(self, coder, mask: np.ndarray) -> np.ndarray:
        """A boolean `(positions in the kernel, filters, input channels)`."""
        positions, filters, channels = mask.shape
        density = _Density(filters, channels)
        filled = np.zeros((filters, channels))
        result = np.zeros(mask.shape, bool)
        for position in range(positions):
            for rows in blocks(filters, ROWS):
                for columns in blocks(channels, COLUMNS):
                    odds = _steps(density.odds(rows, columns), _ODDS)
                    kernel = np.zeros(odds.shape, int)
                    if position:
                        part = filled[rows, columns] / position
                        kernel = 1 + _steps(part, _FILLED)
                    likely = _ones(self._counts[odds, kernel])
                    found = coder.bits(mask[position, rows, columns], likely)
                    np.add.at(self._counts, (odds, kernel, found.astype(int)), 1.0)
                    density.add(rows, columns, found)
                    filled[rows, columns] += found
                    result[position, rows, columns] = found
        return result


def _steps(values, thresholds):
    """How many of the thresholds are at most as large."""
    return thresholds.searchsorted(values, "right")


def _ones(counts):
    """The share of ones in counts of zeros and ones, on the last axis."""
    ones = counts[..., 1]
    return ones / (counts[..., 0] + ones)


class _Density:
    """Shares of weights that are not zero, by filter and by input channel."""

    def __init__(self, filters, channels):
        self._filters = np.zeros((2, filters))
        self._channels = np.zeros((2, channels))
        self._ones = self._total = 0.0

    def odds(self, rows, columns):
        mean = (self._ones + 0.5) / (self._total + 1.0)

        def odds(counts):
            share = (counts[0] + _PRIOR * mean) / (counts[1] + _PRIOR)
            return share / (1.0 - share)

        row, column = odds(self._filters[:, rows]), odds(self._channels[:, columns])
        return row[:, None] * column * ((1.0 - mean) / mean)

    def add(self, rows, columns, found):
        self._filters[0, rows] += found.sum(1)
        self._filters[1, rows] += found.shape[1]
        self._channels[0, columns] += found.sum(0)
        self._channels[1, columns] += found.shape[0]
        self._ones += found.sum()
        self._total += found.size


class Signs:
    """Whether weights are positive.

    A weight's context is the mean of its kernel so far, and of its input channel so
    far, both in steps of a codebook's size.
    """

    _KERNEL = np.array([-2.4, -1.4, -0.6, -0.02, 0.02, 0.6, 1.4, 2.4]) / 12
    _CHANNEL = np.array([-1.2, -0.6, -0.2, 0.2, 0.6, 1.2]) / 12

    def __init__(self):
        shape = (len(self._KERNEL) + 1, len(self._CHANNEL) + 1, 2)
        self._counts = np.full(shape, 1.0)

    def code(self, coder, positive, kernels, channels) -> np.ndarray:
        """Truth values `(n,)`, from the two means of each in parts of the codebook."""
        context = _steps(kernels, self._KERNEL), _steps(channels, self._CHANNEL)
        found = coder.bits(positive, _ones(self._counts[context]))
        np.add.at(self._counts, (*context, found.astype(int)), 1.0)
        return found
