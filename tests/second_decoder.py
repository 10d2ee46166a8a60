"""A second decoder of streams, from FORMAT.md alone: plain Python, slow, no checks."""

import bisect
import itertools
import struct

import numpy as np

ODDS = [m * 2.0**e for e in range(-7, 7) for m in (1, 1.25, 1.5, 1.75)]
FILLED = [0.01, 0.2, 0.4, 0.65]
KERNEL = [x / 12 for x in (-2.4, -1.4, -0.6, -0.02, 0.02, 0.6, 1.4, 2.4)]
CHANNEL = [x / 12 for x in (-1.2, -0.6, -0.2, 0.2, 0.6, 1.2)]


class Reader:
    """The range coder."""

    def __init__(self, content):
        self.words = iter(struct.unpack(f"<{len(content) // 4}I", content))
        self.range = 2**64 - 1
        self.ahead = next(self.words, 0) << 32 | next(self.words, 0)

    def symbol(self, bounds):
        scale = self.range >> 24
        symbol = bisect.bisect(bounds, self.ahead // scale) - 1
        self.ahead -= scale * bounds[symbol]
        self.range = scale * (bounds[symbol + 1] - bounds[symbol])
        if self.range < 1 << 32:
            self.range <<= 32
            self.ahead = self.ahead << 32 | next(self.words, 0)
        return symbol

    def symbols(self, count, weights):
        if len(weights) == 1:
            return [0] * count
        sums = list(itertools.accumulate(weights, initial=0.0))
        scale = ((1 << 24) - len(weights)) / sums[-1]
        bounds = [int(scale * total) + index for index, total in enumerate(sums)]
        bounds[-1] = 1 << 24
        return [self.symbol(bounds) for _ in range(count)]

    def bit(self, counts):
        share = counts[1] / (counts[0] + counts[1])
        return self.symbols(1, [1.0 - share, share])[0]

    def integers(self, count, bits):
        numbers = [0] * count
        for low in range(0, bits, 12):
            step = 1 << 24 - min(12, bits - low)
            bounds = range(0, (1 << 24) + 1, step)
            for index in range(count):
                numbers[index] |= self.symbol(bounds) << low
        return numbers


class Models:
    """Counts that are kept from tensor to tensor."""

    def __init__(self):
        self.masks = [[[0.4, 0.4] for _ in range(6)] for _ in range(57)]
        self.signs = [[[1.0, 1.0] for _ in range(7)] for _ in range(9)]
        self.exponents = [0.02] * 512
        self.differences = [0.02] * 264


def blocks(count, size):
    starts = range(0, count, size)
    return [range(start, min(start + size, count)) for start in starts]


def floats(reader, models, count, rounded=False):
    result, (zeros,) = [], reader.integers(1, 5) if rounded else (0,)
    for block in blocks(count, 32):
        tops = reader.symbols(len(block), models.exponents)
        for top in tops:
            models.exponents[top] += 1
        low = reader.integers(len(block), 23 - zeros)
        result += [
            top << 23 | rest << zeros for top, rest in zip(tops, low, strict=True)
        ]
    return result


def mask(reader, models, positions, filters, channels):
    """The positions (plane, filter, channel) of values that are not zero, in a dict."""
    rows, columns = ([[0, 0] for _ in range(n)] for n in (filters, channels))
    filled, result, ones, total = {}, {}, 0, 0
    for p, fs, cs in itertools.product(
        range(positions), blocks(filters, 8), blocks(channels, 64)
    ):
        mean, contexts = (ones + 0.5) / (total + 1.0), {}

        def odds(counts, mean=mean):
            share = (counts[0] + 4.0 * mean) / (counts[1] + 4.0)
            return share / (1.0 - share)

        for f, c in itertools.product(fs, cs):
            product = odds(rows[f]) * odds(columns[c]) * ((1.0 - mean) / mean)
            part = p and 1 + bisect.bisect(FILLED, filled.get((f, c), 0) / p)
            context = models.masks[bisect.bisect(ODDS, product)][part]
            contexts[p, f, c] = context, reader.bit(context)
        for (_, f, c), (context, bit) in contexts.items():
            context[bit] += 1
            for counts in (rows[f], columns[c]):
                counts[0] += bit
                counts[1] += 1
            filled[f, c] = filled.get((f, c), 0) + bit
            ones, total = ones + bit, total + 1
            if bit:
                result[p, f, c] = None
    return result


def codebook(reader, models):
    (count,), values = reader.integers(1, 16), reader.integers(1, 32)
    sizes, size = [], 80
    for block in blocks(count - 1, 16):
        changes = reader.symbols(len(block), models.differences)
        for change in changes:
            models.differences[change] += 1
            size += change - 132
            sizes.append(size)
    differences = [0] * len(sizes)
    for size in sorted(set(sizes)):
        equal = [index for index, other in enumerate(sizes) if other == size]
        bits, low = size >> 2, max((size >> 2) - 3, 0)
        top = (4 + (size & 3)) << low >> max(3 - bits, 0)
        for index, rest in zip(equal, reader.integers(len(equal), low), strict=True):
            differences[index] = top + rest
    return list(itertools.accumulate(values + differences))


def indices(reader, models, result, negative, positive):
    """Gives every position in a mask its index."""
    kernels, inputs, size = {}, {}, negative + positive
    sides = [[0.0] * negative, [0.0] * positive]
    order = itertools.groupby(result, lambda pfc: (pfc[0], pfc[1] // 8))
    for _, block in order:
        block, above, signs = list(block), {}, []
        for _, f, c in block:
            total, seen = kernels.get((f, c), (0, 0))
            sum_, count = inputs.get(c, (0, 0))
            signs.append(
                models.signs[bisect.bisect(KERNEL, total / max(seen, 1) / size)][
                    bisect.bisect(CHANNEL, sum_ / (count + 3.0) / size)
                ]
            )
        for position, context in zip(block, signs, strict=True):
            both = negative and positive
            above[position] = reader.bit(context) if both else not negative
        if negative and positive:
            for position, context in zip(block, signs, strict=True):
                context[above[position]] += 1
        for side in (0, 1):
            here = [position for position in block if above[position] == side]
            numbers = symbols(reader, len(here), sides[side])
            for position, number in zip(here, numbers, strict=True):
                result[position] = number + side * negative
        for p, f, c in block:
            number = result[p, f, c] - negative
            number += number >= 0
            for sums, key in ((kernels, (f, c)), (inputs, c)):
                total, count = sums.get(key, (0, 0))
                sums[key] = total + number, count + 1


def symbols(reader, count, counts):
    result = []
    for block in blocks(count, 64):
        smooth = counts
        for _ in range(4):
            wide = [smooth[0]] * 2 + smooth + [smooth[-1]] * 2
            smooth = [
                sum(w * wide[start + i] for i, w in enumerate((1, 4, 6, 4, 1)))
                for start in range(len(counts))
            ]
        smooth = [number + 19661 for number in smooth]
        each = len(smooth) / sum(smooth)
        weights = [n + s * each for n, s in zip(counts, smooth, strict=True)]
        for number in reader.symbols(len(block), weights):
            counts[number] += 1
            result.append(number)
    return result


def tensor(kind, content, shape, models):
    """The float32 bits of one tensor."""
    *before, channels, filters = (1, 1, *shape)
    planes = (int(np.prod(before)), filters, channels)
    reader, kind, sparse, rounded = Reader(content), kind & 15, kind & 16, kind & 32
    if sparse:
        positions = mask(reader, models, *planes)
        # By filter and then by channel, where blocks of channels came one by one.
        positions = dict.fromkeys(sorted(positions))
    else:
        positions = dict.fromkeys(itertools.product(*map(range, planes)))
    if kind == 0:
        values = floats(reader, models, len(positions), rounded)
    elif kind == 1:
        ordered = codebook(reader, models)
        negative = bisect.bisect_left(ordered, 1 << 31)
        indices(reader, models, positions, negative, len(ordered) - negative)
        values = [ordered[index] for index in positions.values()]
        values = [v - 2**31 if v >> 31 else 2**32 - 1 - v for v in values]
    else:
        axis = 1 if filters > 1 else 2
        scales = np.array(floats(reader, models, planes[axis], rounded), "uint32")
        indices(reader, models, positions, 127, 128)
        numbers = np.array([index - 127 for index in positions.values()], "float32")
        scales = scales.view("float32")[[position[axis] for position in positions]]
        values = np.where(numbers, scales * numbers, np.float32(-0.0)).view("uint32")
    result = np.zeros(planes, "uint32")
    for position, value in zip(positions, values, strict=True):
        result[position] = value
    return result.transpose(0, 2, 1).reshape(shape)
