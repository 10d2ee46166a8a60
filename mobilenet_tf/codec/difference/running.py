"""Codes the pieces of a new file: one function for both directions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mobilenet_tf.codec.coder import Decoder, Encoder
from mobilenet_tf.codec.difference import table, tensors
from mobilenet_tf.codec.difference.pieces import (
    CHANGED,
    COPY,
    FLOAT32,
    LITERAL,
    PRODUCT,
    TENSOR,
    Piece,
)


def encode(pieces: Sequence[Piece], old: bytes, new: bytes) -> tuple[bytes, bytes]:
    """The script and the stream of a new file.

    Args:
        pieces: What the new file consists of.
        old: The old file.
        new: The new file.
    """
    before, after = (np.frombuffer(content, "uint8") for content in (old, new))
    parts = [table.write(pieces)]
    for piece in pieces:
        own = after[piece.offset : piece.offset + piece.size]
        if piece.kind == LITERAL:
            parts.append(own.tobytes())
        elif piece.kind == CHANGED:
            parts.append((own - before[piece.old : piece.old + piece.size]).tobytes())
    coder, models = Encoder(), tensors.Models()
    for piece in in_order(pieces):
        tensors.code(coder, models, piece, before, after)
    return b"".join(parts), coder.content()


def decode(script: bytes, stream: bytes, old: bytes, size: int) -> bytes:
    """The new file.

    Args:
        script: What `encode` returned.
        stream: The second of it.
        old: The old file.
        size: Bytes of the new file.

    Raises:
        ValueError: No encoder writes this.
    """
    pieces, position = table.read(script, len(old), size)
    if len(stream) % 4:
        raise ValueError(f"a stream must be of whole words, got {len(stream)} bytes")
    before, after = np.frombuffer(old, "uint8"), np.zeros(size, "uint8")
    for piece in pieces:
        own = slice(piece.offset, piece.offset + piece.size)
        counterpart = before[piece.old : piece.old + piece.size]
        if piece.kind in (LITERAL, CHANGED):
            part = np.frombuffer(script[position : position + piece.size], "uint8")
            if len(part) != piece.size:
                raise ValueError("its literal bytes are cut")
            after[own] = part + counterpart if piece.kind == CHANGED else part
            position += piece.size
        elif piece.kind == COPY:
            after[own] = counterpart
    if position != len(script):
        raise ValueError("it has more literal bytes than pieces")
    coder, models = Decoder(stream), tensors.Models()
    for piece in in_order(pieces):
        content = tensors.code(coder, models, piece, before, after)
        after[piece.offset : piece.offset + piece.size] = np.frombuffer(
            content, "uint8"
        )
    coder.finish()
    return after.tobytes()


def in_order(pieces: Sequence[Piece]) -> list[Piece]:
    """The tensors in the order in which they are coded: what predicts comes first."""

    def rank(piece):
        return 1 if piece.kind == PRODUCT else 2 * (piece.tensor.type != FLOAT32)

    coded = [piece for piece in pieces if piece.kind in (TENSOR, PRODUCT)]
    return sorted(coded, key=rank)  # keeps the order of equals
