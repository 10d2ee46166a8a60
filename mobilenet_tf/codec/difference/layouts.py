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

import h5py
import numpy as np

from mobilenet_tf.codec.difference.expansion import tensors_start
from mobilenet_tf.codec.difference.pieces import (
    FLOAT32,
    INT8,
    INT32,
    Tensor,
)

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
    if is_litert(content):
        places = list(_litert(content))
    elif zipfile.is_zipfile(io.BytesIO(content)):
        places = list(_keras(content))
    else:
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
    try:
        from ai_edge_litert import schema_py_generated as schema
    except ImportError as error:
        raise ImportError(
            "a difference of LiteRT files needs ai-edge-litert; pip install "
            "'mobilenet_tf[export]'"
        ) from error
    model = schema.Model.GetRootAs(bytearray(content))
    start = np.frombuffer(model._tab.Bytes, "uint8").ctypes.data
    operators = schema.BuiltinOperator
    weighted = (
        *(operators.CONV_2D, operators.DEPTHWISE_CONV_2D, operators.FULLY_CONNECTED),
    )
    types = {
        schema.TensorType.FLOAT32: FLOAT32,
        schema.TensorType.INT8: INT8,
        schema.TensorType.INT32: INT32,
    }

    def offset(view):
        return view.ctypes.data - start

    count = 0
    for number in range(model.SubgraphsLength()):
        graph = model.Subgraphs(number)
        for index in range(graph.OperatorsLength()):
            operator = graph.Operators(index)
            code = model.OperatorCodes(operator.OpcodeIndex())
            kind = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
            if kind not in weighted:
                continue
            inputs = operator.InputsAsNumpy().tolist()
            scalar = weights = None
            for role, position in zip(
                ("input", "weights", "bias"), inputs, strict=False
            ):
                if position < 0:
                    continue
                tensor = graph.Tensors(position)
                quantization = tensor.Quantization()
                scales = None
                if quantization is not None and quantization.ScaleLength():
                    scales = quantization.ScaleAsNumpy()
                if role == "input":
                    scalar = None if scales is None else offset(scales)
                    continue
                buffer = model.Buffers(tensor.Buffer())
                if not buffer.DataLength() or tensor.Type() not in types:
                    continue
                shape = tensor.ShapeAsNumpy().tolist()
                last = len(shape) == 1 or kind == operators.DEPTHWISE_CONV_2D
                channels = shape[-1 if last else 0]
                at = None if scales is None else offset(scales)
                many = 1 if scales is None else len(scales)
                yield Place(
                    f"{count}/{role}",
                    Tensor(
                        offset(buffer.DataAsNumpy()),
                        types[tensor.Type()],
                        math.prod(shape) // max(channels, 1),
                        channels,
                        last,
                        at,
                        many,
                    ),
                )
                if at is None or many == 1:
                    continue
                factors = None
                if role == "weights":
                    weights = at
                elif None not in (weights, scalar):
                    factors = weights, scalar
                yield Place(
                    f"{count}/{role} scales", Tensor(at, FLOAT32, 1, many), factors
                )
            count += 1


def _disjoint(places, total):
    """In the order of their offsets, without those that overlap the one before."""
    result, end = [], 0
    for place in sorted(places, key=lambda place: place.tensor.offset):
        tensor = place.tensor
        legal = tensor.type == FLOAT32 or tensor.scales is not None
        counts = tensor.scale_count in (1, tensor.channels)
        if tensor.offset >= end and tensor.size and legal and counts:
            result.append(place)
            end = tensor.offset + tensor.size
    assert end <= total
    return result
