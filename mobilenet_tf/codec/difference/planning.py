"""Cuts a new file into pieces with counterparts in an old one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from mobilenet_tf.codec.difference import grids, tensors
from mobilenet_tf.codec.difference.alignment import Index
from mobilenet_tf.codec.difference.layouts import Place
from mobilenet_tf.codec.difference.pieces import (
    CHANGED,
    COPY,
    FLOAT32,
    FLOATS,
    LITERAL,
    MOVED_CODEBOOK,
    MULTIPLES,
    NEW_CODEBOOK,
    PRODUCT,
    SAME_CODEBOOK,
    TENSOR,
    Piece,
    Tensor,
)


def plan(
    old: bytes, new: bytes, old_places: Sequence[Place], new_places: Sequence[Place]
) -> list[Piece]:
    """The pieces of a new file, in order.

    Args:
        old: The old file.
        new: The new file.
        old_places: The tensors in the old file, disjoint and in order.
        new_places: Those in the new file.
    """
    index = Index(old, _gaps(old_places, len(old)))
    before, after = (np.frombuffer(content, "uint8") for content in (old, new))
    counterparts = _counterparts(old_places, new_places)
    pieces: list[Piece] = []
    maps: dict[tuple[int, int], tuple[int, ...]] = {}  # by old and new channels
    position = expected = 0
    for place in [*new_places, None]:
        end = len(new) if place is None else place.tensor.offset
        for length, start in index.runs(new[position:end], expected):
            piece = _bytes_piece(old, new, position, length, start)
            pieces.append(piece)
            position += length
            expected = expected + length if start is None else start + length
        if place is None:
            break
        piece = _tensor_piece(before, after, place, counterparts.get(place.name), maps)
        pieces.append(piece)
        if piece.reference is not None:
            expected = piece.reference.offset + piece.reference.size
        elif piece.kind == COPY:
            expected = piece.old + piece.size
        else:
            expected += piece.size
        position = end + piece.size
    return _joined(pieces)


def _gaps(places, total):
    """The parts of a file between its tensors."""
    starts = [0, *(place.tensor.offset + place.tensor.size for place in places)]
    ends = [*(place.tensor.offset for place in places), total]
    return [pair for pair in zip(starts, ends, strict=True) if pair[0] < pair[1]]


def _counterparts(old_places, new_places) -> dict[str, Tensor]:
    """The old tensor of each new one, by name, or by order where names changed."""
    by_name = {place.name: place.tensor for place in old_places}
    if not all(place.name in by_name for place in new_places) and len(
        old_places
    ) == len(new_places):
        pairs = zip(new_places, old_places, strict=True)
        return {new.name: old.tensor for new, old in pairs}
    return by_name


def _bytes_piece(old, new, position, length, start):
    if start is None:
        return Piece(LITERAL, position, length)
    same = old[start : start + length] == new[position : position + length]
    return Piece(COPY if same else CHANGED, position, length, start)


def _tensor_piece(old, new, place, counterpart, maps):
    tensor = place.tensor
    values = tensors.matrix(new, tensor)
    reference = None
    if counterpart is not None and counterpart.rows == tensor.rows:
        reference = counterpart
        own = old[counterpart.offset : counterpart.offset + counterpart.size]
        if np.array_equal(own, new[tensor.offset : tensor.offset + tensor.size]):
            return Piece(COPY, tensor.offset, tensor.size, counterpart.offset)
    if place.factors is not None:
        return Piece(
            PRODUCT, tensor.offset, tensor.size, tensor=tensor, factors=place.factors
        )
    channels = None
    if reference is not None and reference.channels != tensor.channels:
        sizes = reference.channels, tensor.channels
        if tensor.rows == 1:  # nothing to compare: as the kernel before
            channels = maps.get(sizes) or _appended(*sizes)
        else:
            channels = _nearest(tensors.real(old, reference), tensors.real(new, tensor))
            maps[sizes] = channels
    return Piece(
        TENSOR,
        tensor.offset,
        tensor.size,
        tensor=tensor,
        reference=reference,
        values=_kind_of_values(old, values, tensor, reference),
        channel_map=channels,
    )


def _appended(old, new):
    """Where each new channel was: channels were appended or cut off at the end."""
    return tuple(index if index < old else -1 for index in range(new))


def _nearest(old, new):
    """Which old channel each new one continues: the nearest, each at most once."""
    squares = (new**2).sum(1)[:, None] + (old**2).sum(1) - 2 * new @ old.T
    result = [-1] * len(new)
    taken: set[int] = set()
    for pair in np.argsort(squares, axis=None, kind="stable").tolist():
        here, there = divmod(pair, len(old))
        if result[here] < 0 and there not in taken:
            result[here] = there
            taken.add(there)
    return tuple(result)


def _kind_of_values(old, values, tensor, reference):
    """How float32 values are coded in the fewest bits."""
    if tensor.type != FLOAT32 or values.size < 2:
        return FLOATS
    book = grids.codebook(values)
    if book is not None and len(book) <= values.size // 2:
        before = None
        if reference is not None and reference.type == FLOAT32:
            before = grids.codebook(tensors.matrix(old, reference))
        if before is not None:
            if np.isin(book, before).all():
                return SAME_CODEBOOK
            if len(before) == len(book):
                return MOVED_CODEBOOK
    scales = grids.find_scales(values)
    if scales is not None and (book is None or len(scales) * 2 < len(book)):
        return MULTIPLES
    if book is not None and len(book) <= values.size // 2:
        return NEW_CODEBOOK
    return FLOATS if scales is None else MULTIPLES


def _joined(pieces):
    """Neighbours of one kind that are neighbours in the old file too, as one."""
    result: list[Piece] = []
    for piece in pieces:
        last = result[-1] if result else None
        joins = last is not None and last.kind == piece.kind
        if joins and piece.kind in (COPY, CHANGED):
            joins = piece.old == last.old + last.size
        if joins and piece.kind in (LITERAL, COPY, CHANGED):
            result[-1] = dataclasses.replace(last, size=last.size + piece.size)
        else:
            result.append(piece)
    return result
