"""A second reader of differences, from FORMAT.md alone: plain Python, slow, no checks.

It gives the new file, or the form of it that the difference is of.
"""

import dataclasses
import struct
import zlib

import numpy as np
import second_decoder as streams
import second_deflate
import second_residuals as residuals

TYPES = ("<f4", "<i1", "<i4")


@dataclasses.dataclass
class Matrix:
    """Where a matrix is in a file."""

    start: int
    kind: int
    last: bool
    rows: int
    channels: int
    scales: tuple[int, int] | None = None  # where they are, and how many

    @property
    def end(self):
        return self.start + self.rows * self.channels * (1 if self.kind == 1 else 4)

    def integers(self, file):
        values = np.frombuffer(bytes(file[self.start : self.end]), TYPES[self.kind])
        if self.last:
            return values.reshape(self.rows, self.channels).T
        return values.reshape(self.channels, self.rows)

    def scale(self, file):
        start, count = self.scales
        found = np.frombuffer(bytes(file[start : start + 4 * count]), "<f4")
        return np.resize(found, self.channels).astype("float64")[:, None]

    def values(self, file):
        """Numbers in float64."""
        own = self.integers(file).astype("float64")
        return own * self.scale(file) if self.scales else own

    def write(self, file, values):
        values = np.asarray(values, TYPES[self.kind])
        file[self.start : self.end] = (values.T if self.last else values).tobytes()


class Script:
    """Numbers of the table, then bytes."""

    def __init__(self, content):
        self.content, self.position = content, 0

    def number(self):
        value = shift = 0
        while True:
            byte = self.content[self.position]
            self.position += 1
            value += (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def signed(self):
        number = self.number()
        return -(number + 1) // 2 if number & 1 else number // 2

    def matrix(self, start):
        flags, rows, channels = self.number(), self.number(), self.number()
        scales = None
        if flags & 8:
            scales = start + self.signed(), channels if flags & 16 else 1
        return Matrix(start, flags & 3, bool(flags & 4), rows, channels, scales)

    def bytes(self, count):
        self.position += count
        return self.content[self.position - count : self.position]


@dataclasses.dataclass
class Piece:
    """What the stream holds a tensor of."""

    kind: int
    matrix: Matrix
    way: int = 0
    counterpart: Matrix | None = None
    channels: list[int] | None = None
    factors: tuple[int, int] = (0, 0)

    def read(self, reader, models, old, new):
        """Write the piece into the new file."""
        matrix = self.matrix
        if self.kind == 4:
            vector, scalar = (
                np.frombuffer(bytes(new[start : start + 4 * count]), "<f4")
                for start, count in zip(
                    self.factors, (matrix.rows * matrix.channels, 1), strict=True
                )
            )
            shape = (matrix.rows, matrix.channels)
            product = vector * scalar
            product = (
                product.reshape(shape).T
                if matrix.last
                else product.reshape(shape[::-1])
            )
            return matrix.write(
                new, residuals.floats(reader, models, product, (24, 16))
            )
        values = self.values(old)
        if matrix.kind == 0:
            if self.way == 0:
                values = residuals.floats(reader, models, values.astype("<f4"), (20, 0))
            elif self.way == 4:
                values = residuals.by_scales(reader, models, values)
            else:
                before = self.counterpart and self.counterpart.integers(old)
                values = residuals.by_codebook(reader, models, self.way, values, before)
            return matrix.write(new, values)
        bits = 8 if matrix.kind == 1 else 32
        limits = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
        predicted, e = residuals.nearest(values, matrix.scale(new), *limits)
        if matrix.kind == 1:
            return matrix.write(new, residuals.multiples(reader, models, predicted, e))
        zeros = np.zeros(values.shape, "int64")
        own = models.read(reader, zeros + 28, zeros + 7, zeros + 38)
        return matrix.write(new, predicted + own)

    def values(self, old):
        """Those of the counterpart, float64 `(channels, rows)`."""
        matrix = self.matrix
        result = np.zeros((matrix.channels, matrix.rows))
        if self.counterpart is None:
            return result
        values = self.counterpart.values(old)
        for channel, before in enumerate(self.channels or range(matrix.channels)):
            if before >= 0:
                result[channel] = values[before]
        return result


def pieces(script, size):
    """The pieces as (kind, start, length, start in the old file), and those coded."""
    result, start, end = [], 0, 0
    for _ in range(script.number()):
        kind = script.number()
        if kind < 3:
            length, place = script.number(), 0
            if kind:
                place = end + script.signed()
                end = place + length
            result.append((kind, start, length, place))
            start += length
            continue
        piece = Piece(kind, script.matrix(start))
        if kind == 3:
            piece.way = script.number()
            if script.number():
                piece.counterpart = script.matrix(end + script.signed())
                end = piece.counterpart.end
                count = script.number()
                piece.channels = [index + script.signed() for index in range(count)]
        else:
            piece.factors = start + script.signed(), start + script.signed()
        result.append(piece)
        start = piece.matrix.end
    assert start == size
    return result


def apply(delta, old):
    """The new file, in the form that `old` is in."""
    size, script_size, packed_size = struct.unpack_from("<QII", delta, 72)
    script = Script(zlib.decompress(delta[88 : 88 + packed_size]))
    assert len(script.content) == script_size
    new, coded = bytearray(size), []
    for piece in pieces(script, size):
        if isinstance(piece, Piece):
            coded.append(piece)
            continue
        kind, start, length, place = piece
        part = np.frombuffer(old[place : place + length], "uint8")
        if kind != 1:
            own = np.frombuffer(script.bytes(length), "uint8")
            part = own + part if kind == 2 else own
        new[start : start + length] = part.tobytes()
    reader = streams.Reader(delta[88 + packed_size : -4])
    models = residuals.Residuals()
    order = {(3, 0): 0, (4, 0): 1}
    for piece in sorted(coded, key=lambda p: order.get((p.kind, p.matrix.kind), 2)):
        piece.read(reader, models, old, new)
    return bytes(new)


def unfolded(file, shapes):
    """The unfolded form of a file of the codec."""
    (length,) = struct.unpack_from("<I", file, 8)
    numbers = second_deflate.numbers(file[12 : 12 + length])
    tensors = expanded(file, shapes)[4 + length :]
    return struct.pack("<I", len(numbers)) + numbers + tensors


def expanded(file, shapes):
    """The expanded form of a file of the codec, whose tensors have these shapes."""
    count, length = struct.unpack_from("<HI", file, 6)
    table, start = 12 + length, 12 + length + 9 * count
    parts, models = [file[8 : 12 + length]], streams.Models()
    for index, shape in enumerate(shapes):
        kind, size, _ = struct.unpack_from("<BII", file, table + 9 * index)
        bits = streams.tensor(kind, file[start : start + size], shape, models)
        parts.append(bits.astype("<u4").tobytes())
        start += size
    return b"".join(parts)
