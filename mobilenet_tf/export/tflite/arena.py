"""Where the activations of a file lie in memory while it runs.

TensorFlow Lite Micro places activations by size, the largest first, each at the lowest
free address, which leaves gaps: for MobileNet 0.25 at 96 px 73,728 bytes where no more
than 55,296 are alive at once. A file may bring a better plan in its metadata.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.export.tflite.flatbuffer import File

METADATA = "OfflineMemoryAllocation"  # the name that the interpreter looks for
_VERSION = 1
_ALIGNMENT = 16  # of every activation, by the interpreter
_NOT_PLANNED = -1  # constants, which are in flash
_ATTEMPTS = 200  # random orders; most networks need the first order only


@dataclasses.dataclass(frozen=True)
class Activation:
    """A tensor that is computed, and those that share its memory.

    Attributes:
        tensors: Indices in the file: one, and what reshaping gives.
        size: In bytes.
        first: Place of the operator that writes it, -1 for the input.
        last: Place of the last operator that reads it.
    """

    tensors: tuple[int, ...]
    size: int
    first: int
    last: int


def activations(file: File, *, in_place: bool = True) -> list[Activation]:
    """The activations of a file in the order in which they appear.

    Args:
        file: An int8 file.
        in_place: Whether a tensor and what it is reshaped to count as one activation:
            reshaping copies nothing where both lie at one address.
    """
    operators, tensors = file.graph.operators, file.graph.tensors
    first = {int(index): -1 for index in file.graph.inputs}
    last: dict[int, int] = {}
    same: dict[int, int] = {}  # what a tensor is a reshaping of
    for place, operator in enumerate(operators):
        for index in map(int, operator.inputs):
            if same.get(index, index) in first:
                last[same.get(index, index)] = place
        for index in map(int, operator.outputs):
            source = int(operator.inputs[0])
            if in_place and file.kind(operator) == schema.BuiltinOperator.RESHAPE:
                same[index] = same.get(source, source)
            else:
                first[index] = place
    for index in map(int, file.graph.outputs):
        last[same.get(index, index)] = len(operators)
    return [
        Activation(
            (index, *(alias for alias, root in same.items() if root == index)),
            size(tensors[index]),
            begin,
            last.get(index, begin),
        )
        for index, begin in first.items()
    ]


def size(tensor: schema.TensorT) -> int:
    """Bytes that a tensor of int8 takes, aligned."""
    count = int(np.prod(tensor.shape, dtype="int64"))
    return -(-count // _ALIGNMENT) * _ALIGNMENT


def live_bytes(buffers: Sequence[Activation]) -> list[int]:
    """Bytes that are alive while each operator runs."""
    count = max(buffer.last for buffer in buffers) + 1
    return [
        sum(buffer.size for buffer in buffers if buffer.first <= place <= buffer.last)
        for place in range(count)
    ]


def plan(buffers: Sequence[Activation]) -> dict[int, int]:
    """An offset for every tensor, so that the least memory is needed.

    Activations are placed at the lowest free address in several orders, until one needs
    no more than is alive at once.

    Args:
        buffers: What `activations` gave.

    Returns:
        Offset in bytes by index of the tensor.
    """
    live = live_bytes(buffers)
    # First those that are alive where memory is scarce.
    scarce = sorted(
        buffers,
        key=lambda buffer: (
            -max(live[max(buffer.first, 0) : buffer.last + 1]),
            -buffer.size,
        ),
    )
    generator = random.Random(0)
    best: dict[Activation, int] = {}
    least = None
    orders = [scarce, sorted(buffers, key=lambda buffer: -buffer.size), list(buffers)]
    for attempt in range(_ATTEMPTS):
        order = orders[attempt] if attempt < len(orders) else scarce
        if attempt >= len(orders):
            order = generator.sample(order, len(order))
        offsets = _placed(order)
        needed = max(offset + buffer.size for buffer, offset in offsets.items())
        if least is None or needed < least:
            best, least = offsets, needed
        if least == max(live):
            break
    return {
        index: offset for buffer, offset in best.items() for index in buffer.tensors
    }


def _placed(order):
    """Each activation at the lowest address that is free while it lives."""
    offsets: dict[Activation, int] = {}
    for buffer in order:
        offset = 0
        neighbours = (
            (start, start + other.size)
            for other, start in offsets.items()
            if other.first <= buffer.last and buffer.first <= other.last
        )
        for start, end in sorted(neighbours):
            if start - offset >= buffer.size:
                break
            offset = max(offset, end)
        offsets[buffer] = offset
    return offsets


def write_plan(file: File, *, in_place: bool = True) -> None:
    """Write a plan into a file whose tensors will keep their indices.

    Args:
        file: An int8 file.
        in_place: See `activations`.
    """
    offsets = plan(activations(file, in_place=in_place))
    count = len(file.graph.tensors)
    numbers = [_VERSION, 0, count]
    numbers += [offsets.get(index, _NOT_PLANNED) for index in range(count)]
    file.add_metadata(METADATA, np.array(numbers, "<i4").tobytes())
