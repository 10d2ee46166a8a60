"""One tensor of a new file, coded with its counterpart in the old file as context."""

from __future__ import annotations

import numpy as np

from mobilenet_tf.codec.coder import Coder
from mobilenet_tf.codec.difference import grids
from mobilenet_tf.codec.difference.pieces import (
    FLOAT32,
    FLOATS,
    INT8,
    MULTIPLES,
    PRODUCT,
    TYPES,
    Piece,
    Tensor,
)
from mobilenet_tf.codec.difference.residuals import Residuals
from mobilenet_tf.codec.floats import Codebook, code_zero_bits, zero_bits
from mobilenet_tf.codec.tensors import ordered, unordered

# Contexts of `Residuals`: of changes, then of signs and of sizes, by what is coded.
_STEPS, _CODEBOOK, _FLOATS, _SCALES, _BIASES = 0, 16, 20, 24, 28
_FLOAT_SIGNS, _OTHER_SIGNS = 5, 7
_FLOAT_SIZES, _SCALE_SIZES, _STEP_SIZES, _CODEBOOK_SIZES, _BIAS_SIZES = (
    0,
    16,
    32,
    36,
    38,
)
_FRACTIONS = np.array([0.1, 0.25, 0.4])  # of a step, from the nearest value
_SIDES = np.array([-0.25, -0.02, 0.02, 0.25])
_MAGNITUDES = np.array([1.0, 8.0, 32.0])  # of int8
_SHARES = np.array([0.02, 0.1, 0.3])
_EXPONENT = 23


class Models:
    """Adaptive models of one file, whose counts are kept from tensor to tensor."""

    def __init__(self) -> None:
        self.residuals = Residuals()
        self.codebook = Codebook()


def code(
    coder: Coder, models: Models, piece: Piece, old: np.ndarray, new: np.ndarray
) -> bytes:
    """Code one piece of the kinds `TENSOR` and `PRODUCT`.

    Args:
        coder: The encoder or decoder.
        models: Their counts are updated.
        piece: The piece.
        old: The old file, uint8 `(bytes,)`.
        new: The new file, likewise. A decoder has those pieces in it that come before.

    Returns:
        The bytes of the piece.
    """
    with np.errstate(all="ignore"):  # of a damaged file
        return _code(coder, models, piece, old, new)


def _code(coder, models, piece, old, new):
    tensor = piece.tensor
    values = matrix(new, tensor)
    if piece.kind == PRODUCT:
        predicted = _product(piece, new)
        result = _code_floats(coder, models, values, predicted, scales_=True)
    elif tensor.type != FLOAT32:
        result = _code_integers(coder, models, piece, values, old, new)
    else:
        predicted = _reference(piece, old)
        if piece.values == FLOATS:
            result = _code_floats(
                coder, models, values, predicted.astype("<f4"), scales_=False
            )
        elif piece.values == MULTIPLES:
            result = _code_multiples(coder, models, values, predicted)
        else:
            result = _code_codebook(coder, models, piece, values, predicted, old)
    return to_bytes(result, tensor)


def matrix(content: np.ndarray, tensor: Tensor) -> np.ndarray:
    """A tensor as `(channels, rows)`."""
    part = content[tensor.offset : tensor.offset + tensor.size]
    values = np.frombuffer(part.tobytes(), TYPES[tensor.type])
    if tensor.channels_last:
        return values.reshape(tensor.rows, tensor.channels).T
    return values.reshape(tensor.channels, tensor.rows)


def to_bytes(values: np.ndarray, tensor: Tensor) -> bytes:
    """The bytes of a tensor `(channels, rows)`."""
    values = values.T if tensor.channels_last else values
    return np.ascontiguousarray(values, TYPES[tensor.type]).tobytes()


def scales(content: np.ndarray, tensor: Tensor) -> np.ndarray:
    """The scale of each channel of integers, float64 `(channels, 1)`."""
    assert tensor.scales is not None
    part = content[tensor.scales : tensor.scales + 4 * tensor.scale_count]
    values = np.frombuffer(part.tobytes(), "<f4").astype("float64")
    return np.broadcast_to(values, tensor.channels)[:, None]


def real(content: np.ndarray, tensor: Tensor) -> np.ndarray:
    """The real values of a tensor, float64 `(channels, rows)`."""
    values = matrix(content, tensor).astype("float64")
    return values if tensor.scales is None else values * scales(content, tensor)


def _reference(piece, old):
    """The real values of the counterpart, 0 where there is none."""
    tensor = piece.tensor
    if piece.reference is None:
        return np.zeros((tensor.channels, tensor.rows))
    values = real(old, piece.reference)
    if piece.channel_map is None:
        return values
    padded = np.concatenate([values, np.zeros((1, tensor.rows))])
    return padded[list(piece.channel_map)]  # -1 is the last one


def _product(piece, new):
    vector, scalar = (
        np.frombuffer(new[start : start + 4 * count].tobytes(), "<f4")
        for start, count in zip(piece.factors, (piece.tensor.size // 4, 1), strict=True)
    )
    with np.errstate(all="ignore"):
        values = (vector * scalar).astype("<f4")
    if piece.tensor.channels_last:
        return values.reshape(piece.tensor.rows, piece.tensor.channels).T
    return values.reshape(piece.tensor.channels, piece.tensor.rows)


def _code_floats(coder, models, values, predicted, *, scales_):
    """Differences of float32, as integers in the order of the numbers.

    Bits that are zero in all of them, as rounding leaves them, are left out.
    """
    now = np.ascontiguousarray(values, "<f4").view("<u4")
    zeros = code_zero_bits(coder, zero_bits(now))
    bits = np.ascontiguousarray(predicted, "<f4").view("<u4")
    before = ordered(bits) >> zeros
    exponents = (bits >> _EXPONENT & 255).astype("int64")
    depth = (exponents.max(initial=0) - exponents).clip(0, 15)
    changes, sizes = (_SCALES, _SCALE_SIZES) if scales_ else (_FLOATS, _FLOAT_SIZES)
    residuals = models.residuals.code(
        coder,
        (ordered(now) >> zeros) - before,
        changes + (depth >> 2),
        _FLOAT_SIGNS + (bits >> 31).astype("int64"),
        sizes + depth,
    )
    numbers = before + residuals
    if numbers.size and (numbers.min() < 0 or numbers.max() >> 32 - zeros):
        raise ValueError("a float is damaged: it has more than 32 bits")
    # Of a negative float, whose bits are inverted, the lowest ones are ones.
    numbers <<= zeros
    numbers[numbers < 1 << 31] += (1 << zeros) - 1
    return unordered(numbers).view("<f4")


def _code_integers(coder, models, piece, values, old, new):
    """Integers with known scales, predicted from the old file's real values."""
    tensor = piece.tensor
    limits = np.iinfo(TYPES[tensor.type])
    nearest, fraction = grids.positions(
        _reference(piece, old), scales(new, tensor), limits.min, limits.max
    )
    if tensor.type == INT8:
        residuals = _code_steps(coder, models, values, nearest, fraction)
    else:
        zeros = np.zeros(values.shape, "int64")
        residuals = models.residuals.code(
            coder,
            values - nearest,
            zeros + _BIASES,
            zeros + _OTHER_SIGNS,
            zeros + _BIAS_SIZES,
        )
    result = nearest + residuals
    if result.size and (result.min() < limits.min or result.max() > limits.max):
        raise ValueError("an integer is damaged: it is too large for its type")
    return result


def _code_steps(coder, models, values, nearest, fraction):
    """Residuals of small integers; the fraction tells to which side they tend."""
    magnitude = _MAGNITUDES.searchsorted(np.abs(nearest), "right")
    away = _FRACTIONS.searchsorted(np.abs(fraction), "right")
    side = _SIDES.searchsorted(fraction, "right")
    return models.residuals.code(
        coder,
        values - nearest,
        _STEPS + 4 * magnitude + away,
        side,
        _STEP_SIZES + magnitude,
    )


def _code_multiples(coder, models, values, predicted):
    """float32 that are whole multiples of a scale of their channel."""
    guess = grids.old_scales(predicted)
    found = grids.find_scales(values)
    own = np.ones(len(values), "<f4") if found is None else found
    own = _code_floats(coder, models, own[None], guess[None], scales_=True)[0]
    nearest, fraction = grids.positions(
        predicted, own.astype("float64")[:, None], -grids.LARGEST, grids.LARGEST
    )
    with np.errstate(all="ignore"):
        multiples = np.nan_to_num(np.rint(values / own[:, None])).astype("int64")
    multiples = nearest + _code_steps(coder, models, multiples, nearest, fraction)
    if np.abs(multiples).max(initial=0) > grids.LARGEST:
        raise ValueError("a multiple is damaged: it is too large")
    return grids.product(multiples, own)


def _code_codebook(coder, models, piece, values, predicted, old):
    """float32 of few values: which of them, with the old one's place as prediction."""
    before = None
    if piece.reference is not None and piece.reference.type == FLOAT32:
        before = grids.codebook(matrix(old, piece.reference))
    book = grids.code_codebook(coder, models, piece.values, values, before)
    nearest, fraction = grids.places(predicted, book, before, piece.values)
    indices = grids.indices(values, book)
    zero = (predicted == 0).astype("int64")
    side = _SIDES.searchsorted(fraction, "right")
    away = (np.abs(fraction) >= _FRACTIONS[1]).astype("int64")
    indices = nearest + models.residuals.code(
        coder,
        indices - nearest,
        _CODEBOOK + 2 * zero + away,
        side,
        _CODEBOOK_SIZES + zero,
    )
    if indices.size and (indices.min() < 0 or indices.max() >= len(book)):
        raise ValueError("an index is damaged: it is not in its codebook")
    return unordered(book[indices]).view("<f4")
