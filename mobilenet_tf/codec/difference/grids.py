"""The values that the weights of a quantised or clustered tensor can have.

Matrices are `(channels, rows)`. Codebooks are int64, the bits of float32 as numbers
that ascend as the floats do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mobilenet_tf.codec import tensors
from mobilenet_tf.codec.coder import Coder
from mobilenet_tf.codec.difference.pieces import MOVED_CODEBOOK, SAME_CODEBOOK

LARGEST = 127
MOST_VALUES = 1024
_MINUS_ZERO = 0x80000000
_CHANGE, _SIGN, _SIZE = 29, 7, 39  # contexts of the residuals of codebooks


def positions(
    reals: np.ndarray, scales: np.ndarray, least: int, most: int
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest multiple of a scale, and how far beyond it a value is.

    Args:
        reals: float64 `(channels, rows)`.
        scales: float64 `(channels, 1)`.
        least: Of the multiples.
        most: Of the multiples.

    Returns:
        int64, and float64 in [-0.5, 0.5], of the same shape.
    """
    with np.errstate(all="ignore"):
        quotients = np.nan_to_num(reals / scales).clip(least, most)
    nearest = np.rint(quotients)
    return nearest.astype("int64"), quotients - nearest


def find_scales(values: np.ndarray) -> np.ndarray | None:
    """The scale of each channel of which float32 values are whole multiples, or None.

    Args:
        values: float32 `(channels, rows)`.

    Returns:
        float32 `(channels,)`, 1 for channels of zeros.
    """
    bits = np.ascontiguousarray(values, "<f4").view("<u4")
    if (bits == _MINUS_ZERO).any():  # which no multiple is
        return None
    return tensors.find_scales(bits[None], axis=1)


def product(multiples: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """float32 of multiples `(channels, rows)` and scales `(channels,)`."""
    with np.errstate(all="ignore"):
        return multiples.astype("<f4") * scales[:, None].astype("<f4")


def old_scales(reals: np.ndarray) -> np.ndarray:
    """A guess of the scales of a tensor: its own if it has some.

    Args:
        reals: float64 `(channels, rows)`.

    Returns:
        float32 `(channels,)`.
    """
    values = np.ascontiguousarray(reals, "<f4")
    scales = find_scales(values)
    if scales is None:
        scales = (np.abs(values).max(1, initial=0) / np.float32(LARGEST)).astype("<f4")
    return scales


def codebook(values: np.ndarray) -> np.ndarray | None:
    """The distinct values of a tensor in rising order; None for too many."""
    distinct = np.unique(
        tensors.ordered(np.ascontiguousarray(values, "<f4").view("<u4"))
    )
    return distinct if len(distinct) <= MOST_VALUES else None


def code_codebook(
    coder: Coder,
    models: Any,
    way: int,
    values: np.ndarray,
    before: np.ndarray | None,
) -> np.ndarray:
    """Code the codebook of a tensor, with that of its counterpart as prediction.

    Args:
        coder: The encoder or decoder.
        models: Adaptive models, as `tensors.Models`.
        way: `SAME_CODEBOOK`, `MOVED_CODEBOOK`, or `NEW_CODEBOOK`.
        values: The tensor; a decoder ignores it.
        before: The counterpart's codebook, if it has one.

    Raises:
        ValueError: The counterpart has no codebook, or this one is damaged.
    """
    if way in (SAME_CODEBOOK, MOVED_CODEBOOK) and before is None:
        raise ValueError("a codebook that stayed must have been one")
    if way == SAME_CODEBOOK and before is not None:
        return before
    book = codebook(values)
    if book is None:
        raise ValueError(f"a codebook must have at most {MOST_VALUES} values")
    if way == MOVED_CODEBOOK and before is not None:
        book = np.resize(book, len(before))
        zeros = np.zeros((1, len(before)), "int64")
        book = (
            before
            + models.residuals.code(
                coder,
                (book - before)[None],
                zeros + _CHANGE,
                zeros + _SIGN,
                zeros + _SIZE,
            )[0]
        )
    else:
        (count,) = coder.integers(np.array([len(book)]), 16)
        if not 0 < count <= MOST_VALUES:
            raise ValueError(f"a codebook must have 1 to {MOST_VALUES} values")
        book = models.codebook.code(coder, np.resize(book, count))
    if (np.diff(book) <= 0).any() or book[0] < 0 or book[-1] >> 32:
        raise ValueError("a codebook is damaged: its values do not ascend")
    return book


def indices(values: np.ndarray, book: np.ndarray) -> np.ndarray:
    """The index of each value; of a decoder's, which are not known, any."""
    numbers = tensors.ordered(np.ascontiguousarray(values, "<f4").view("<u4"))
    return np.searchsorted(book, numbers)


def places(
    reals: np.ndarray, book: np.ndarray, before: np.ndarray | None, way: int
) -> tuple[np.ndarray, np.ndarray]:
    """The index that each old value predicts, and how far beyond it the value is.

    Where the codebook is the old one or has moved, the index is the old one.
    Otherwise it is that of the nearest value, and the distance is in units of that to
    the neighbour.
    """
    values = np.ascontiguousarray(reals, "<f4")
    if way in (SAME_CODEBOOK, MOVED_CODEBOOK) and before is not None:
        place = indices(values, before).clip(0, len(book) - 1)
        return place, np.zeros(place.shape)
    levels = tensors.unordered(book).view("<f4").astype("float64")
    upper = np.searchsorted(levels, reals).clip(0, len(book) - 1)
    lower = (upper - 1).clip(0)
    gap = levels[upper] - levels[lower]
    with np.errstate(all="ignore"):
        share = np.nan_to_num((reals - levels[lower]) / gap).clip(0, 1)
    above = share > 0.5
    return np.where(above, upper, lower), np.where(above, share - 1, share)
