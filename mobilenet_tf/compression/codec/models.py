"""What is likely: adaptive models of masks, symbols and floats.

All learn while they code, so that no histogram is stored, and go on learning from one
tensor to the next where tensors are alike. See `coder` for the two directions.
"""

from __future__ import annotations

import functools

import numpy as np

# Thresholds of odds, four per octave from 1/128 to 128; exact on every machine.
_ODDS = np.array([m * 2.0**e for e in range(-7, 7) for m in (1, 1.25, 1.5, 1.75)])
_FILLED = np.array([0.01, 0.2, 0.4, 0.65])
_ROWS, _COLUMNS = 8, 64
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
            for rows in _blocks(filters, _ROWS):
                for columns in _blocks(channels, _COLUMNS):
                    odds = np.digitize(density.odds(rows, columns), _ODDS)
                    kernel = np.zeros(odds.shape, int)
                    if position:
                        part = filled[rows, columns] / position
                        kernel = 1 + np.digitize(part, _FILLED)
                    counts = self._counts[odds, kernel]
                    found = coder.bits(
                        mask[position, rows, columns], counts[..., 1] / counts.sum(-1)
                    )
                    np.add.at(self._counts, (odds, kernel, found.astype(int)), 1.0)
                    density.add(rows, columns, found)
                    filled[rows, columns] += found
                    result[position, rows, columns] = found
        return result


class _Density:
    """Shares of weights that are not zero, by filter and by input channel."""

    def __init__(self, filters, channels):
        self._filters = np.zeros((2, filters))
        self._channels = np.zeros((2, channels))

    def odds(self, rows, columns):
        ones, total = self._filters.sum(1)
        mean = (ones + 0.5) / (total + 1.0)

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
        context = (
            np.digitize(kernels, self._KERNEL),
            np.digitize(channels, self._CHANNEL),
        )
        counts = self._counts[context]
        found = coder.bits(positive, counts[:, 1] / counts.sum(-1))
        np.add.at(self._counts, (*context, found.astype(int)), 1.0)
        return found


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
            for rows in _blocks(filters, _ROWS):
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
        self._smoothing = _smoothing(count)

    def code(self, coder, values: np.ndarray) -> np.ndarray:
        """Integers `(n,)` from 0 to below the count."""
        result = np.empty(len(values), "int64")
        for block in _blocks(len(values), self._BLOCK):
            found = coder.symbols(values[block], self._weights())
            self._counts += np.bincount(found, minlength=len(self._counts))
            result[block] = found
        return result

    def _weights(self):
        """Counts, and one more per symbol, distributed as the smoothed counts are."""
        # Whole numbers, whose sums do not depend on the order.
        smooth = self._smoothing @ self._counts + round(self._LEAST * _SMOOTHED)
        return self._counts + smooth * (len(smooth) / smooth.sum())


_BINOMIAL = np.array([1.0, 4, 6, 4, 1])
_TIMES = 4
_SMOOTHED = _BINOMIAL.sum() ** _TIMES


@functools.lru_cache
def _smoothing(count):
    """The matrix that spreads counts over neighbours, by a binomial kernel."""
    matrix = np.eye(count)
    for _ in range(_TIMES):
        padded = np.pad(matrix, ((2, 2), (0, 0)), "edge")
        matrix = sum(
            weight * padded[shift : shift + count]
            for shift, weight in enumerate(_BINOMIAL)
        )
    return matrix


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
        for block in _blocks(len(values), self._BLOCK):
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
        for block in _blocks(len(sizes), self._BLOCK):
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


def _blocks(count, size):
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]
