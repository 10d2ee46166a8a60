"""One tensor as a stream: the mask of its zeros, then the values that are not zero."""

from __future__ import annotations

import math

import numpy as np

from mobilenet_tf.codec.coder import Coder, Decoder, Encoder
from mobilenet_tf.codec.floats import Codebook, Floats, code_zero_bits, zero_bits
from mobilenet_tf.codec.indices import Indices
from mobilenet_tf.codec.masks import COLUMNS, ROWS, Mask, Signs

FLOATS, CODEBOOK, INT8 = range(3)
KINDS = ("float32", "codebook", "int8")
SPARSE = 0x10  # added to the kind where some values are zero
# Added where at least so many of the lowest bits of all floats are zero, of the values
# or of the scales: they are left out.
ROUNDED, _LEAST_ZERO_BITS = 0x20, 8

_MOST_VALUES = 1024
_INT8 = 127


class Models:
    """Adaptive models whose counts are kept from one tensor to the next."""

    def __init__(self) -> None:
        self.mask = Mask()
        self.signs = Signs()
        self.floats = Floats()
        self.codebook = Codebook()


def encode(array: np.ndarray, models: Models) -> tuple[int, bytes]:
    """The kind and the stream of a tensor.

    Args:
        array: float32, of any shape.
        models: Their counts are updated.
    """
    planes = _planes(np.ascontiguousarray(array, "<f4").view("<u4"))
    kind, scales = _kind_and_scales(planes)
    coder = Encoder()
    _code(coder, models, kind, planes, scales)
    return kind, coder.content()


def decode(
    kind: int, content: bytes, shape: tuple[int, ...], models: Models
) -> np.ndarray:
    """The tensor of a stream.

    Args:
        kind: What `encode` returned, as the two others.
        content: The stream.
        shape: The tensor's.
        models: Their counts are updated; they must have decoded the same tensors as
            those of the encoder had encoded.

    Returns:
        float32 of the shape.

    Raises:
        ValueError: The kind is unknown, or no encoder writes such a stream.
    """
    if kind & ~SPARSE not in (FLOATS, CODEBOOK, INT8, FLOATS + ROUNDED, INT8 + ROUNDED):
        raise ValueError(f"a tensor has the unknown kind {kind}")
    if len(content) % 4:
        raise ValueError(f"a stream must be of whole words, got {len(content)} bytes")
    coder, planes = Decoder(content), _planes(np.zeros(shape, "uint32"))
    scales = np.zeros(planes.shape[_channel_axis(planes)], "float32")
    planes = _code(coder, models, kind, planes, scales)
    coder.finish()
    return _array(planes, shape).view("float32")


def blocks(shape: tuple[int, ...]) -> int:
    """The largest number of blocks that a tensor of a shape is coded in."""
    *positions, channels, filters = (1, 1, *shape)
    rows, columns = math.ceil(filters / ROWS), math.ceil(channels / COLUMNS)
    return math.prod(positions) * rows * columns


def _planes(bits):
    """Any shape as `(positions in the kernel, filters, input channels)`."""
    shape = (1, 1, 1, *bits.shape)
    kernels = bits.reshape(-1, *shape[-2:])
    return np.ascontiguousarray(kernels.transpose(0, 2, 1))


def _array(planes, shape):
    return np.ascontiguousarray(planes.transpose(0, 2, 1)).reshape(shape)


def _kind_and_scales(planes):
    """The kind of a tensor, and for int8 the scale of each channel."""
    values = planes[planes != 0]
    sparse = SPARSE if values.size < planes.size else 0
    distinct = len(np.unique(values))
    if distinct > 2 * _INT8:
        scales = find_scales(planes, _channel_axis(planes))
        if scales is not None:
            return INT8 + sparse + _rounded(scales.view("uint32")), scales
    if 0 < distinct <= min(_MOST_VALUES, values.size // 2):
        return CODEBOOK + sparse, None
    return FLOATS + sparse + _rounded(values), None


def _rounded(bits):
    few = bits.size and zero_bits(bits) >= _LEAST_ZERO_BITS
    return ROUNDED if few else 0


def _code(coder: Coder, models, kind, planes, scales):
    mask = np.ones(planes.shape, bool)
    if kind & SPARSE:
        mask = models.mask.code(coder, planes != 0)
    result = np.zeros(planes.shape, "uint32")
    rounded = bool(kind & ROUNDED)
    kind &= ~(SPARSE | ROUNDED)
    if kind == INT8:
        bits = _code_floats(coder, models, scales.view("uint32"), rounded)
        result[mask] = _code_integers(coder, models, planes, mask, bits)
    elif kind == CODEBOOK:
        result[mask] = _code_indices(coder, models, planes, mask)
    else:
        result[mask] = _code_floats(coder, models, planes[mask], rounded)
    return result


def _code_floats(coder, models, bits, rounded):
    zeros = code_zero_bits(coder, zero_bits(bits)) if rounded else 0
    return models.floats.code(coder, bits, zeros)


def _code_indices(coder, models, planes, mask):
    """Values as indices into the sorted list of distinct values."""
    numbers = ordered(planes)
    distinct = np.unique(numbers[mask])
    (count,) = coder.integers(np.array([len(distinct)]), 16)
    if not 0 < count <= _MOST_VALUES:
        raise ValueError(f"a codebook must have 1 to {_MOST_VALUES} values")
    distinct = models.codebook.code(coder, np.resize(distinct, count))
    if distinct[-1] >> 32:
        raise ValueError("a codebook is damaged: a value has more than 32 bits")
    negative = int(np.searchsorted(distinct, ordered(np.zeros((), "uint32"))))
    model = Indices(negative, count - negative, models.signs)
    indices = model.code(coder, np.searchsorted(distinct, numbers), mask)
    return unordered(distinct[indices])


def _code_integers(coder, models, planes, mask, bits):
    """Values as whole multiples of their channel's scale."""
    scales = _along(bits.view("float32"), _channel_axis(planes))
    with np.errstate(all="ignore"):
        multiples = np.nan_to_num(np.rint(planes.view("float32") / scales))
    multiples = multiples.astype("int64")
    model = Indices(_INT8, _INT8 + 1, models.signs)
    multiples = model.code(coder, multiples + _INT8, mask) - _INT8
    with np.errstate(all="ignore"):  # of a damaged file
        values = np.broadcast_to(scales, mask.shape)[mask] * multiples.astype("float32")
    values[multiples == 0] = -0.0  # from rounding; the mask codes +0.0
    return values.view("uint32")


def find_scales(planes: np.ndarray, axis: int) -> np.ndarray | None:
    """The scale of each channel, where weights are int8 times a scale; else None.

    Args:
        planes: float32 as uint32, of three axes.
        axis: That of the channels.
    """
    values = planes.view("float32")
    rest = tuple(other for other in range(3) if other != axis)
    if planes.size == planes.shape[axis] or not np.isfinite(values).all():
        return None
    if planes.shape[axis] > 1 and find_scales(planes.take([0], axis), axis) is None:
        return None  # for most float weights the first channel suffices
    largest = np.abs(values).max(rest)
    scales = np.ones(len(largest), "float32")
    unknown = np.flatnonzero(largest)  # channels whose scale is not found yet
    for divisor in range(_INT8, 0, -1):
        exact = largest / np.float32(divisor)
        # The quotient may be one step beside the scale that the product was made with.
        for candidate in (exact, np.nextafter(exact, 0), np.nextafter(exact, 1e38)):
            if not len(unknown):
                return scales
            own = candidate.astype("float32")[unknown]
            fits = _are_multiples(planes.take(unknown, axis), own, axis)
            scales[unknown[fits]] = own[fits]
            unknown = unknown[~fits]
    return None if len(unknown) else scales


def _are_multiples(planes, scales, axis):
    """Which channels are multiples of their scales, bit by bit."""
    values, scales = planes.view("float32"), _along(scales, axis)
    with np.errstate(all="ignore"):
        product = np.rint(values / scales).astype("float32") * scales
    equal = product.view("uint32") == planes
    return equal.all(tuple(other for other in range(3) if other != axis))


def _channel_axis(planes):
    """The axis of the scales: filters, or input channels where there is one filter."""
    return 1 if planes.shape[1] > 1 else 2


def _along(values, axis):
    return values.reshape([-1 if other == axis else 1 for other in range(3)])


def ordered(bits: np.ndarray) -> np.ndarray:
    """float32 bits as integers in the order of the numbers."""
    bits = bits.astype("int64")
    return np.where(bits >> 31, 0xFFFFFFFF - bits, bits + 0x80000000)


def unordered(numbers: np.ndarray) -> np.ndarray:
    """float32 bits of `ordered`'s integers, uint32."""
    bits = np.where(numbers >> 31, numbers - 0x80000000, 0xFFFFFFFF - numbers)
    return bits.astype("uint32")
