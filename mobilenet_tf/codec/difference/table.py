"""The table of pieces in the file of a difference.

Where a piece stands in the old file is written as the distance from the end of the
piece before, so that a file that moved as a whole takes few bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mobilenet_tf.codec import masks, streams
from mobilenet_tf.codec.difference.pieces import (
    CHANGED,
    COPY,
    FLOAT32,
    LITERAL,
    MOVED_CODEBOOK,
    MULTIPLES,
    PRODUCT,
    SAME_CODEBOOK,
    TENSOR,
    TYPES,
    Piece,
    Tensor,
)

_MOST_PIECES = 1 << 16


class Writer:
    """Writes integers, seven bits to a byte, the lowest first."""

    def __init__(self) -> None:
        self.content = bytearray()

    def number(self, value: int) -> None:
        """Append an integer that is not negative."""
        while value >= 128:
            self.content.append(value & 127 | 128)
            value >>= 7
        self.content.append(value)

    def signed(self, value: int) -> None:
        """Append an integer of either sign."""
        self.number(2 * value if value >= 0 else -2 * value - 1)


class _Reader:
    def __init__(self, content):
        self._content, self.position = content, 0

    def number(self):
        value = shift = 0
        while True:
            if self.position >= len(self._content) or shift > 56:
                raise ValueError("its table of pieces is cut")
            byte = self._content[self.position]
            self.position += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def signed(self):
        value = self.number()
        return value >> 1 if value % 2 == 0 else -(value + 1 >> 1)


def write(pieces: Iterable[Piece]) -> bytes:
    """The table of pieces."""
    pieces, writer, end = list(pieces), Writer(), 0
    writer.number(len(pieces))
    for piece in pieces:
        writer.number(piece.kind)
        if piece.kind in (LITERAL, COPY, CHANGED):
            writer.number(piece.size)
        if piece.kind in (COPY, CHANGED):
            writer.signed(piece.old - end)
            end = piece.old + piece.size
        if piece.kind in (TENSOR, PRODUCT):
            _write_tensor(writer, piece.tensor, piece.offset)
        if piece.kind == TENSOR:
            writer.number(piece.values)
            writer.number(piece.reference is not None)
        if piece.kind == PRODUCT:
            for factor in piece.factors:
                writer.signed(factor - piece.offset)
        if piece.reference is not None:
            writer.signed(piece.reference.offset - end)
            _write_tensor(writer, piece.reference, piece.reference.offset)
            end = piece.reference.offset + piece.reference.size
            channels = piece.channel_map or ()
            writer.number(len(channels))
            for expected, channel in enumerate(channels):
                writer.signed(channel - expected)
    return bytes(writer.content)


def _write_tensor(writer, tensor, start):
    scaled = tensor.scales is not None
    per_channel = scaled and tensor.scale_count > 1
    writer.number(
        tensor.type | tensor.channels_last << 2 | scaled << 3 | per_channel << 4
    )
    writer.number(tensor.rows)
    writer.number(tensor.channels)
    if scaled:
        writer.signed(tensor.scales - start)


def read(script: bytes, old_size: int, new_size: int) -> tuple[list[Piece], int]:
    """The pieces of a table, and where the table ends.

    Args:
        script: It begins with the table.
        old_size: Bytes of the old file; no piece reads beyond them.
        new_size: Bytes of the new file, which the pieces fill.

    Raises:
        ValueError: The table is cut, or a piece is illegal.
    """
    reader = _Reader(script)
    count = reader.number()
    if count > _MOST_PIECES:
        raise ValueError(f"it must have at most {_MOST_PIECES:,} pieces, got {count:,}")
    result = list(_read_pieces(reader, count, old_size, new_size))
    if sum(piece.size for piece in result) != new_size:
        raise ValueError("its pieces are not as long as the new file")
    blocks = sum(piece.tensor.blocks for piece in result if piece.tensor is not None)
    if blocks > (most := max(streams.MAX_BLOCKS, new_size // 1024)):
        raise ValueError(
            f"its tensors must fill at most {most:,} blocks of {masks.ROWS} channels "
            f"by {masks.COLUMNS} rows, got {blocks:,}"
        )
    return result, reader.position


def _read_pieces(reader, count, old_size, new_size) -> Iterator[Piece]:
    offset = end = 0
    for _ in range(count):
        kind = reader.number()
        if kind in (LITERAL, COPY, CHANGED):
            size, old = reader.number(), 0
            if kind != LITERAL:
                old = end + reader.signed()
                _check_range(old, size, old_size)
                end = old + size
            piece = Piece(kind, offset, size, old)
        elif kind == TENSOR:
            piece = _read_tensor_piece(reader, offset, end, old_size, new_size)
            if piece.reference is not None:
                end = piece.reference.offset + piece.reference.size
        elif kind == PRODUCT:
            tensor = _read_tensor(reader, offset, new_size)
            factors = offset + reader.signed(), offset + reader.signed()
            if tensor.type != FLOAT32:
                raise ValueError("a product must be of float32")
            _check_range(factors[0], tensor.size, new_size)
            _check_range(factors[1], 4, new_size)
            piece = Piece(kind, offset, tensor.size, tensor=tensor, factors=factors)
        else:
            raise ValueError(f"a piece has the unknown kind {kind}")
        offset += piece.size
        if offset > new_size:
            raise ValueError("its pieces are longer than the new file")
        yield piece


def _read_tensor_piece(reader, offset, end, old_size, new_size):
    tensor = _read_tensor(reader, offset, new_size)
    values, referenced = reader.number(), reader.number()
    if values > MULTIPLES or (tensor.type != FLOAT32 and values):
        raise ValueError(f"a tensor has the unknown kind of values {values}")
    if tensor.type != FLOAT32 and tensor.scales is None:
        raise ValueError("integers must have scales")
    if referenced > 1:
        raise ValueError(
            f"a tensor must have one counterpart or none, got {referenced}"
        )
    reference = channels = None
    if referenced:
        start = end + reader.signed()
        reference = _read_tensor(reader, start, old_size)
        if reference.rows != tensor.rows:
            raise ValueError("a tensor must have as many rows as its counterpart")
        if count := reader.number():
            if count != tensor.channels:
                raise ValueError("a map of channels must have one entry per channel")
            channels = tuple(index + reader.signed() for index in range(count))
            if not all(-1 <= one < reference.channels for one in channels):
                raise ValueError("a map of channels leads beyond the counterpart")
        elif reference.channels != tensor.channels:
            raise ValueError("a tensor must have as many channels as its counterpart")
    if values in (SAME_CODEBOOK, MOVED_CODEBOOK) and (
        reference is None or reference.type != FLOAT32
    ):
        raise ValueError("a codebook that stayed must have a counterpart")
    return Piece(
        TENSOR,
        offset,
        tensor.size,
        tensor=tensor,
        reference=reference,
        values=values,
        channel_map=channels,
    )


def _read_tensor(reader, start, total):
    flags, rows, channels = reader.number(), reader.number(), reader.number()
    kind, scaled, per_channel = flags & 3, flags >> 3 & 1, flags >> 4 & 1
    if flags > 31 or kind >= len(TYPES) or not rows or not channels:
        raise ValueError("a tensor is of an unknown type, or empty")
    scales = start + reader.signed() if scaled else None
    count = channels if per_channel else 1
    tensor = Tensor(start, kind, rows, channels, bool(flags >> 2 & 1), scales, count)
    _check_range(start, tensor.size, total)
    if scales is not None:
        _check_range(scales, 4 * count, total)
    return tensor


def _check_range(start, size, total):
    if start < 0 or start + size > total:
        raise ValueError("a piece leads beyond the file")
