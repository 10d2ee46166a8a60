"""One tensor as a stream: which of its values are zero, and what the others are."""

from __future__ import annotations

import math

import numpy as np

from mobilenet_tf.codec.coder import Decoder, Encoder
from mobilenet_tf.codec.floats import Codebook, Floats
from mobilenet_tf.codec.masks import COLUMNS, ROWS, Mask, Signs
from mobilenet_tf.codec.places import Places

FLOATS, CODEBOOK, INT8 = range(3)
KINDS = ("float32", "codebook", "int8")
SPARSE = 0x10  # added to the kind where some values are zero

_MOST_VALUES = 1024
_INT8 = 127


class Models:
    """What is learned from one tensor for the next."""

    def __init__(self):
        self.mask = Mask()
        self.signs = Signs()
        self.floats = Floats()
        self.codebook = Codebook()


def encode(array: np.ndarray, learned: Models) -> tuple[int, bytes]:
    """The kind and the stream of a float32 array of any shape."""
    planes = _planes(np.ascontiguousarray(array, "<f4").view("<u4"))
    kind, scales = _kind_and_scales(planes)
    coder = Encoder()
    _code(coder, learned, kind, planes, scales)
    return kind, coder.content()


def decode(
    kind: int, content: bytes, shape: tuple[int, ...], learned: Models
) -> np.ndarray:
    """The float32 array of a stream.

    Raises:
        ValueError: There is no such kind, or the stream is not one of it.
    """
    if kind & ~SPARSE not in (FLOATS, CODEBOOK, INT8):
        raise ValueError(f"a tensor has the unknown kind {kind}")
    if len(content) % 4:
        raise ValueError(f"a stream must be of whole words, got {len(content)} bytes")
    coder, planes = Decoder(content), _planes(np.zeros(shape, "uint32"))
    scales = np.zeros(planes.shape[_channel_axis(planes)], "float32")
    planes = _code(coder, learned, kind, planes, scales)
    coder.finish()
    return _array(planes, shape).view("float32")


def blocks(shape: tuple[int, ...]) -> int:
    """How many blocks an array is coded in, one after the other, at the most."""
    *positions, channels, filters = (1, 1, *shape)
    rows, columns = math.ceil(filters / ROWS), math.ceil(channels / COLUMNS)
    return math.prod(positions) * rows * columns


def _planes(bits):
    """Any shape to `(positions in the kernel, filters, input channels)`."""
    shape = (1, 1, 1, *bits.shape)
    kernels = bits.reshape(-1, *shape[-2:])
    return np.ascontiguousarray(kernels.transpose(0, 2, 1))


def _array(planes, shape):
    return np.ascontiguousarray(planes.transpose(0, 2, 1)).reshape(shape)


def _kind_and_scales(planes):
    """The kind, and for int8 the scale per channel."""
    values = planes[planes != 0]
    sparse = SPARSE if values.size < planes.size else 0
    distinct = len(np.unique(values))
    if distinct > 2 * _INT8:
        scales = _scales(planes, _channel_axis(planes))
        if scales is not None:
            return INT8 + sparse, scales
    few = 0 < distinct <= min(_MOST_VALUES, values.size // 2)
    return (CODEBOOK if few else FLOATS) + sparse, None


def _code(coder, learned, kind, planes, scales):
    mask = np.ones(planes.shape, bool)
    if kind & SPARSE:
        mask = learned.mask.code(coder, planes != 0)
    result = np.zeros(planes.shape, "uint32")
    kind &= ~SPARSE
    if kind == INT8:
        result[mask] = _code_integers(coder, learned, planes, mask, scales)
    elif kind == CODEBOOK:
        result[mask] = _code_indices(coder, learned, planes, mask)
    else:
        result[mask] = learned.floats.code(coder, planes[mask])
    return result


def _code_indices(coder, learned, planes, mask):
    """Values as places in the sorted list of those that there are."""
    ordered = _ordered(planes)
    distinct = np.unique(ordered[mask])
    (count,) = coder.integers(np.array([len(distinct)]), 16)
    if not 0 < count <= _MOST_VALUES:
        raise ValueError(f"a codebook must have 1 to {_MOST_VALUES} values")
    distinct = learned.codebook.code(coder, np.resize(distinct, count))
    if distinct[-1] >> 32:
        raise ValueError("a codebook is damaged: a value has more than 32 bits")
    negative = int(np.searchsorted(distinct, _ordered(np.zeros((), "uint32"))))
    places = Places(negative, count - negative, learned.signs)
    places = places.code(coder, np.searchsorted(distinct, ordered), mask)
    return _unordered(distinct[places])


def _code_integers(coder, learned, planes, mask, scales):
    """Values as whole multiples of their channel's scale."""
    bits = learned.floats.code(coder, scales.view("uint32"))
    scales = _along(bits.view("float32"), _channel_axis(planes))
    with np.errstate(all="ignore"):
        numbers = np.nan_to_num(np.rint(planes.view("float32") / scales))
    numbers = numbers.astype("int64")
    places = Places(_INT8, _INT8 + 1, learned.signs)
    numbers = places.code(coder, numbers + _INT8, mask) - _INT8
    with np.errstate(all="ignore"):  # of a damaged file
        values = np.broadcast_to(scales, mask.shape)[mask] * numbers.astype("float32")
    values[numbers == 0] = -0.0  # rounding makes it; the mask has the other zeros
    return values.view("uint32")


def _scales(planes, axis):
    """Scale per channel of weights that are int8 times a scale; None of others."""
    values = planes.view("float32")
    rest = tuple(other for other in range(3) if other != axis)
    if planes.size == planes.shape[axis] or not np.isfinite(values).all():
        return None
    if planes.shape[axis] > 1 and _scales(planes.take([0], axis), axis) is None:
        return None  # most float weights are told apart by their first channel
    largest = np.abs(values).max(rest)
    scales = np.ones(len(largest), "float32")
    found = largest == 0
    for divisor in range(_INT8, 0, -1):
        exact = largest / np.float32(divisor)
        # The quotient may be one step beside the scale that the product was made with.
        for candidate in (exact, np.nextafter(exact, 0), np.nextafter(exact, 1e38)):
            candidate = candidate.astype("float32")
            with np.errstate(all="ignore"):
                numbers = np.rint(values / _along(candidate, axis)).astype("float32")
                product = numbers * _along(candidate, axis)
            fits = ((product.view("uint32") == planes).all(rest)) & ~found
            scales[fits] = candidate[fits]
            found |= fits
        if found.all():
            return scales
    return None


def _channel_axis(planes):
    """Filters; of a depthwise kernel, which has one for each, input channels."""
    return 1 if planes.shape[1] > 1 else 2


def _along(values, axis):
    return values.reshape([-1 if other == axis else 1 for other in range(3)])


def _ordered(bits):
    """float32 bits as integers in the order of the numbers."""
    bits = bits.astype("int64")
    return np.where(bits >> 31, 0xFFFFFFFF - bits, bits + 0x80000000)


def _unordered(ordered):
    bits = np.where(ordered >> 31, ordered - 0x80000000, 0xFFFFFFFF - ordered)
    return bits.astype("uint32")
