"""Where the tensors are in a file that this package wrote.

Only the encoder needs to know: the file of a difference names places, so that a device
reads no flatbuffer and no HDF5 of a file that it does not trust yet.
"""

from __future__ import annotations

import dataclasses
import io
import math
import zipfile
from collections.abc import Iterator

import numpy as np

from mobilenet_tf.codec.difference.expansion import tensors_start
from mobilenet_tf.codec.difference.pieces import FLOAT32, Tensor
from mobilenet_tf.packages import require

_LITERT_IDENTIFIER = b"TFL3"
_WEIGHTS = "model.weights.h5"
_LOCAL_HEADER = 30  # bytes of a zip member before its name and extra field


@dataclasses.dataclass(frozen=True)
class Place:
    """A tensor of a file, and by what its counterpart in another one is known.

    Attributes:
        name: Equal for counterparts.
        tensor: Where it is.
        factors: Where the vector and the scalar are whose product it is, if so.
    """

    name: str
    tensor: Tensor
    factors: tuple[int, int] | None = None


def is_litert(content: bytes) -> bool:
    """Whether a file is a LiteRT file."""
    return content[4:8] == _LITERT_IDENTIFIER


def find(content: bytes) -> list[Place]:
    """The tensors of a `.keras` or LiteRT file in the order of their offsets.

    Of other files, and of those that are compressed or damaged, there are none: they
    are treated as bytes.

    Raises:
        ImportError: It is a LiteRT file, and ai-edge-litert is not installed.
    """
    try:
        if is_litert(content):
            places = list(_litert(content))
        elif zipfile.is_zipfile(io.BytesIO(content)):
            places = list(_keras(content))
        else:
            places = []
    except ImportError:
        raise
    except Exception:  # a damaged file can make its reader raise anything
        places = []
    return _disjoint(places, len(content))


def of_shapes(
    expanded: bytes, shapes: list[tuple[str, tuple[int, ...]]]
) -> list[Place]:
    """The tensors of an expanded file of the codec."""
    offset, places = tensors_start(expanded), []
    for name, shape in shapes:
        tensor = _keras_tensor(offset, shape)
        places.append(Place(name, tensor))
        offset += tensor.size
    return places


def _keras_tensor(offset, shape):
    """A tensor of Keras: its channels are last, those of a depthwise kernel second."""
    if len(shape) == 4 and shape[-1] == 1:
        shape = shape[:-1]
    channels = shape[-1] if shape else 1
    return Tensor(offset, FLOAT32, math.prod(shape[:-1]), channels)


def _keras(content) -> Iterator[Place]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if _WEIGHTS not in archive.namelist():
            return
        info = archive.getinfo(_WEIGHTS)
        weights = archive.read(info)
    head = content[info.header_offset : info.header_offset + _LOCAL_HEADER]
    lengths = np.frombuffer(head[-4:], "<u2")
    start = info.header_offset + _LOCAL_HEADER + int(lengths.sum())
    if content[start : start + len(weights)] != weights:
        return  # the member is compressed
    import h5py  # here, as devices with other files may do without it

    found: list[Place] = []

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and item.dtype == np.dtype("<f4"):
            offset = item.id.get_offset()
            if offset is not None and item.size:
                found.append(Place(name, _keras_tensor(start + offset, item.shape)))

    with h5py.File(io.BytesIO(weights)) as file:
        file.visititems(visit)
    yield from found


def _litert(content) -> Iterator[Place]:
    require("ai_edge_litert", purpose="a difference of LiteRT files", extra="export")
    from mobilenet_tf.codec.difference.flatbuffer import Reader

    for number, layer in enumerate(Reader(content).layers()):
        weights = None
        for role in ("weights", "bias"):
            tensor = layer.tensors.get(role)
            if tensor is None:
                continue
            yield Place(f"{number}/{role}", tensor)
            if tensor.scales is None or tensor.scale_count == 1:
                continue
            factors = None
            if role == "weights":
                weights = tensor.scales
            elif weights is not None and layer.input_scale is not None:
                factors = weights, layer.input_scale
            scales = Tensor(tensor.scales, FLOAT32, 1, tensor.scale_count)
            yield Place(f"{number}/{role} scales", scales, factors)


def _disjoint(places, total):
    """In the order of their offsets, without those that overlap the one before."""
    result, end = [], 0
    for place in sorted(places, key=lambda place: place.tensor.offset):
        tensor = place.tensor
        legal = tensor.type == FLOAT32 or tensor.scales is not None
        counts = tensor.scale_count in (1, tensor.channels)
        inside = end <= tensor.offset <= total - tensor.size
        if inside and tensor.size and legal and counts:
            result.append(place)
            end = tensor.offset + tensor.size
    return result
