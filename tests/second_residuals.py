"""A second reader of residuals and of what they are added to, from FORMAT.md alone."""

import bisect
import itertools

import numpy as np
import second_decoder as streams

SIDES = (-0.25, -0.02, 0.02, 0.25)
SIZES = (0.25, 0.35, 0.5, 0.7, 1, 1.4, 2, 2.8, 4, 5.6, 8)


class Residuals:
    """Adaptive models of residuals, and those of codebooks."""

    def __init__(self):
        self.changes = [[[0.4, 0.4] for _ in range(32)] for _ in range(57)]
        self.signs = [[1.0, 1.0] for _ in range(8)]
        self.sizes = [[[0.02] * 136 for _ in range(12)] for _ in range(40)]
        self.codebooks = streams.Models()

    def read(self, reader, *contexts):
        """Residuals for change, sign and size contexts `(channels, rows)`."""
        contexts = [np.asarray(each) for each in contexts]
        if contexts[0].shape[1] == 1:
            return self.matrix(reader, *(each.T for each in contexts)).T
        return self.matrix(reader, *contexts)

    def matrix(self, reader, changes, signs, sizes):
        result = np.zeros(changes.shape, "int64")
        # Of each channel, each row and all: changed, number, sum.
        channels, rows = ([[0, 0, 0] for _ in range(n)] for n in changes.shape)
        everything = [0, 0, 0]
        for here, there in itertools.product(
            streams.blocks(len(channels), 8), streams.blocks(len(rows), 64)
        ):
            ones, total, absolute = everything
            density, mean = (ones + 0.5) / (total + 1.0), (absolute + 0.5) / (total + 1)

            def odds(counts, density=density):
                share = (counts[0] + 4.0 * density) / (counts[1] + 4.0)
                return share / (1.0 - share)

            def size(counts, mean=mean):
                return (counts[2] + 4.0 * mean) / (counts[1] + 4.0)

            block = list(itertools.product(here, there))
            bits, large = {}, {}
            for c, r in block:
                product = (
                    odds(channels[c]) * odds(rows[r]) * ((1.0 - density) / density)
                )
                step = bisect.bisect(streams.ODDS, product)
                context = self.changes[step][changes[c, r]]
                bits[c, r] = context, reader.bit(context)
                large[c, r] = size(channels[c]) * size(rows[r]) / mean
            changed = [place for place in block if bits[place][1]]
            for context, bit in bits.values():
                context[bit] += 1
            positive = {p: reader.bit(self.signs[signs[p]]) for p in changed}
            for place, bit in positive.items():
                self.signs[signs[place]][bit] += 1
            steps = {
                p: (int(sizes[p]), bisect.bisect(SIZES, large[p])) for p in changed
            }
            for context in sorted(set(steps.values())):
                own = [place for place in changed if steps[place] == context]
                counts = self.sizes[context[0]][context[1]]
                for place, number in zip(
                    own, absolutes(reader, counts, len(own)), strict=True
                ):
                    result[place] = number if positive[place] else -number
            for c, r in block:
                for counts in (channels[c], rows[r], everything):
                    counts[0] += bits[c, r][1]
                    counts[1] += 1
                    counts[2] += abs(int(result[c, r]))
        return result


def absolutes(reader, counts, count):
    """Absolute values of one context."""
    codes = reader.symbols(count, counts)
    for code in codes:
        counts[code] += 1
    result = [0] * count
    for code in sorted(set(codes)):
        own = [index for index, other in enumerate(codes) if other == code]
        bits, low = code >> 2, max((code >> 2) - 3, 0)
        top = (4 + (code & 3)) << low >> max(3 - bits, 0)
        for index, rest in zip(own, reader.integers(len(own), low), strict=True):
            result[index] = top + rest
    return result


def number(bits):
    """float32 bits as a number that ascends as the floats do."""
    bits = np.asarray(bits, "int64")
    return np.where(bits < 2**31, bits + 2**31, 2**32 - 1 - bits)


def float32(numbers):
    """The float32 of numbers."""
    bits = np.where(numbers < 2**31, 2**32 - 1 - numbers, numbers - 2**31)
    return bits.astype("uint32").view("<f4")


def floats(reader, models, predicted, first):
    """float32 by way 0; `first` are the first contexts of changes and of sizes."""
    (zeros,) = reader.integers(1, 5)
    bits = np.asarray(predicted, "<f4").view("<u4").astype("int64")
    exponents = bits >> 23 & 255
    below = np.minimum(exponents.max() - exponents, 15)
    contexts = first[0] + below // 4, 5 + (bits >> 31), first[1] + below
    numbers = (number(bits) >> zeros) + models.read(reader, *contexts)
    low = np.where(numbers << zeros < 2**31, (1 << zeros) - 1, 0)
    return float32((numbers << zeros) + low)


def step(thresholds, values):
    """How many thresholds are at most as large, for each value."""
    return np.array(
        [[bisect.bisect(thresholds, value) for value in row] for row in values]
    ).reshape(np.shape(values))


def nearest(values, scales, least, most):
    """Predictions and e for quotients."""
    with np.errstate(all="ignore"):
        quotients = values / scales
    quotients = np.where(np.isnan(quotients), 0, quotients).clip(least, most)
    return np.rint(quotients).astype("int64"), quotients - np.rint(quotients)


def multiples(reader, models, predicted, e):
    m = step((1, 8, 32), abs(predicted))
    d = step((0.1, 0.25, 0.4), abs(e))
    return predicted + models.read(reader, 4 * m + d, step(SIDES, e), 32 + m)


def scale(channel):
    """The scale of a channel of float32, None without."""
    largest = np.float32(abs(channel).max())
    if len(channel) < 2 or not np.isfinite(largest):
        return None
    if (channel.view("uint32") == 1 << 31).any():
        return None
    if not largest:
        return np.float32(1)
    for divisor in range(127, 0, -1):
        exact = largest / np.float32(divisor)
        below, above = (np.nextafter(exact, np.float32(to)) for to in (0, np.inf))
        for candidate in (exact, below, above):
            with np.errstate(all="ignore"):
                product = np.rint(channel / candidate) * candidate
            if (product + np.float32(0) == channel).all():
                return candidate
    return None


def by_scales(reader, models, values):
    """float32 by way 4."""
    channels = np.ascontiguousarray(values, "<f4")
    before = [scale(channel) for channel in channels]
    if None in before:
        before = abs(channels).max(1) / np.float32(127)
    scales = floats(reader, models, np.array([before], "<f4"), (24, 16))[0][:, None]
    e = nearest(values, scales.astype("float64"), -127, 127)
    return multiples(reader, models, *e).astype("<f4") * scales


def by_codebook(reader, models, way, values, old):
    """float32 by ways 1 to 3; `old` is the counterpart as it is, or None."""
    e = np.zeros(values.shape)
    if way < 3:
        before = np.unique(number(np.ascontiguousarray(old).view("<u4")))
        places = np.searchsorted(before, number(values.astype("<f4").view("<u4")))
        places = np.minimum(places, len(before) - 1)
    if way == 1:
        book = before
    elif way == 2:
        zeros = np.zeros((1, len(before)), "int64")
        book = before + models.read(reader, zeros + 29, zeros + 7, zeros + 39)[0]
    else:
        book = np.array(streams.codebook(reader, models.codebooks))
        levels = float32(book).astype("float64")
        upper = np.searchsorted(levels, values).clip(0, len(book) - 1)
        lower = np.maximum(upper - 1, 0)
        with np.errstate(all="ignore"):
            share = (values - levels[lower]) / (levels[upper] - levels[lower])
        share = np.where(np.isnan(share), 0, share).clip(0, 1)
        places = np.where(share > 0.5, upper, lower)
        e = np.where(share > 0.5, share - 1, share)
    z = (values == 0).astype("int64")
    far = (abs(e) >= 0.25).astype("int64")
    residuals = models.read(reader, 16 + 2 * z + far, step(SIDES, e), 36 + z)
    return float32(book[places + residuals])
