"""Writing a LiteRT file in as few bytes as the format allows.

Conversion and rewriting leave constants that no operator reads, long names for all
tensors, and the same vector of zero points in every layer. LiteRT requires a zero point
for every scale, and XNNPACK requires both for biases too; equal vectors are written
once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

IDENTIFIER = b"TFL3"
# Written by this package: labels and input; a plan of the memory on microcontrollers.
METADATA = ("TFLITE_METADATA", "OfflineMemoryAllocation")
_ALIGNMENT = 16  # of buffers, by the schema; the generated Python code ignores it


def pack(model: schema.ModelT) -> bytes:
    """The bytes of a model of one subgraph.

    Unused parts are dropped from the model: tensors, buffers, operator codes, the
    converter's metadata, names of tensors other than inputs and outputs.

    Raises:
        ValueError: The model has several subgraphs.
    """
    if len(model.subgraphs) != 1:
        raise ValueError(
            f"a LiteRT file must have one subgraph here, got {len(model.subgraphs)}"
        )
    _drop_unused_tensors(model)
    _drop_unused_buffers(model)
    _drop_unused_operator_codes(model)
    _shorten(model)
    builder = _SharingBuilder(_size(model))
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


class _SharingBuilder(flatbuffers.Builder):
    """Writes equal vectors and strings once: tables may share an offset."""

    def __init__(self, size: int):
        super().__init__(size)
        self._offsets: dict[tuple, int] = {}

    def CreateNumpyVector(self, x: np.ndarray) -> int:  # noqa: N802 - the base class' name
        if x.dtype == np.uint8:  # a buffer; equal ones are merged already
            self.Prep(_ALIGNMENT, x.size)
            return super().CreateNumpyVector(x)
        key = (x.dtype.str, x.tobytes())
        if key not in self._offsets:
            self._offsets[key] = super().CreateNumpyVector(x)
        return self._offsets[key]

    def CreateString(self, s: str, *arguments: Any) -> int:  # noqa: N802
        key = ("string", s)
        if key not in self._offsets:
            self._offsets[key] = super().CreateString(s, *arguments)
        return self._offsets[key]


def _size(model):
    """A first size for the builder, which doubles it as often as needed."""
    buffers = (buffer.data for buffer in model.buffers)
    return 2**16 + sum(len(data) for data in buffers if data is not None)


def _drop_unused_tensors(model):
    (graph,) = model.subgraphs
    used = sorted({index for index in _tensor_indices(graph) if index >= 0})
    number = {old: new for new, old in enumerate(used)} | {-1: -1}

    def renumbered(indices):
        return np.array([number[int(index)] for index in indices], "int32")

    graph.tensors = [graph.tensors[index] for index in used]
    graph.inputs, graph.outputs = renumbered(graph.inputs), renumbered(graph.outputs)
    for operator in graph.operators:
        operator.inputs = renumbered(operator.inputs)
        operator.outputs = renumbered(operator.outputs)
    for entry in _signature_entries(model):
        entry.tensorIndex = number[entry.tensorIndex]


def _tensor_indices(graph) -> Iterator[int]:
    yield from map(int, [*graph.inputs, *graph.outputs])
    for operator in graph.operators:
        yield from map(int, [*operator.inputs, *operator.outputs])


def _drop_unused_buffers(model):
    """Equal constants share a buffer; tensors without a constant have the first.

    The converter's metadata is dropped with its buffers.
    """
    model.metadata = [entry for entry in model.metadata or () if _kept(entry.name)]
    (graph,) = model.subgraphs
    buffers = [schema.BufferT()]
    numbers: dict[bytes, int] = {}
    for owner in (*graph.tensors, *model.metadata):
        buffer = model.buffers[owner.buffer]
        owner.buffer = 0
        if buffer.data is not None and len(buffer.data):
            digest = hashlib.sha256(buffer.data).digest()
            owner.buffer = numbers.setdefault(digest, len(buffers))
            if owner.buffer == len(buffers):
                buffers.append(buffer)
    model.buffers = buffers


def _kept(name):
    text = name.decode() if isinstance(name, bytes) else name
    return text in METADATA


def _drop_unused_operator_codes(model):
    (graph,) = model.subgraphs
    numbers: dict[int, int] = {}
    for operator in graph.operators:
        index = operator.opcodeIndex
        operator.opcodeIndex = numbers.setdefault(index, len(numbers))
    model.operatorCodes = [model.operatorCodes[index] for index in numbers]


def _shorten(model):
    (graph,) = model.subgraphs
    names = {entry.tensorIndex: entry.name for entry in _signature_entries(model)}
    model.description = None
    for index, tensor in enumerate(graph.tensors):
        tensor.name = names.get(index)
        tensor.shapeSignature = None  # the batch is 1
        tensor.shape = np.array(tensor.shape, "int32")
        quantization = tensor.quantization
        if quantization is not None and quantization.scale is None:
            tensor.quantization = None


def _signature_entries(model) -> Iterator[schema.TensorMapT]:
    for signature in model.signatureDefs or ():
        yield from (*signature.inputs, *signature.outputs)
