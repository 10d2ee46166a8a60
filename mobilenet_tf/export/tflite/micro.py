"""int8 files for TensorFlow Lite Micro, in as little memory as their outputs allow."""

from __future__ import annotations

import re

import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from tensorflow.lite.python.convert_phase import ConverterError

from mobilenet_tf.export import tflm
from mobilenet_tf.export.images import scaled
from mobilenet_tf.export.network import Network
from mobilenet_tf.export.tflite import arena, int8, rewriting, splitting
from mobilenet_tf.export.tflite.converter import converted_to_int8
from mobilenet_tf.export.tflite.flatbuffer import File

_KINDS = {
    number: name
    for name, number in vars(schema.BuiltinOperator).items()
    if isinstance(number, int)
}


def micro_file(
    network: Network, calibration: np.ndarray, *, logits: bool = False
) -> File:
    """The file of a network as it is converted: int8 throughout, not yet made smaller.

    Args:
        network: What is converted.
        calibration: Pixels `(images, side, side, 3)` from 0 to 255.
        logits: Whether to leave the softmax of the classifier out.

    Raises:
        ValueError: A layer has no int8 operator; the message names it.
    """
    if logits and network.head is not None and not network.gives_logits:
        network = network.with_logits()
    try:
        file = int8.quantize(network, calibration, lanes=1, float_output=False)
    except ConverterError as error:
        raise ValueError(_unknown_operator(str(error), network)) from error
    rewriting.make_ends_int8(file)
    _check_int8(file, network)
    return file


def plain_file(network: Network, calibration: np.ndarray, *, fold: bool = True) -> File:
    """What TensorFlow's converter alone gives, to compare with.

    Args:
        network: What is converted.
        calibration: As for `micro_file`.
        fold: Whether the file takes and gives int8 without conversions, as that of
            `micro_file`, instead of uint8.
    """
    inputs = scaled(calibration, network.core_range)
    low_high = network.core_range
    model = network.on_scaled()
    file = File(converted_to_int8(model, inputs, low_high, tf.uint8))
    if fold:
        rewriting.make_reshapes_constant(file)
        rewriting.make_ends_int8(file)
    return file


def use_less_memory(
    file: File, *, split: bool = True, plan: bool = True, in_place: bool = True
) -> bytes:
    """The bytes of a file that computes the same integers in a smaller arena.

    Args:
        file: An int8 file, which changes.
        split: Whether to compute wide layers in parts.
        plan: Whether to write a plan of the memory.
        in_place: Whether the plan reshapes in place.
    """
    if split:
        splitting.split_widest(file)
    if plan:
        file.packed()  # gives tensors their final indices
        arena.write_plan(file, in_place=in_place)
    return file.packed()


def operators(file: File) -> tuple[str, ...]:
    """The kinds of operators in a file, each once, in the order of their first use."""
    kinds = (_KINDS[file.kind(operator)] for operator in file.graph.operators)
    return tuple(dict.fromkeys(kinds))


def first_failure(file: File, network: Network) -> str:
    """The layer that the interpreter cannot run, for a message.

    Args:
        file: One that the interpreter cannot run.
        network: What the file was made from.
    """
    runs, fails = 0, len(file.graph.operators)
    while fails - runs > 1:  # the file runs up to here, and fails there
        middle = (runs + fails) // 2
        if _runs(file, middle):
            runs = middle
        else:
            fails = middle
    return _described(file, fails - 1, network)


def _runs(file, count):
    """Whether the interpreter runs the first operators of a file."""
    part = File(file.content())
    part.graph.operators = part.graph.operators[:count]
    part.graph.outputs = list(part.graph.operators[-1].outputs)
    (image,) = part.graph.inputs
    shape = tuple(part.graph.tensors[image].shape)
    try:
        tflm.run(part.packed(), np.zeros(shape, "int8"))
    except tflm.TFLMError:
        return False
    return True


def _check_int8(file, network):
    """Raise ValueError for an activation that is not int8 or has no fixed shape."""
    constants = {
        index
        for index, tensor in enumerate(file.graph.tensors)
        if file.model.buffers[tensor.buffer].data is not None
    }
    between = schema.BuiltinOperator.QUANTIZE, schema.BuiltinOperator.DEQUANTIZE
    for place, operator in enumerate(file.graph.operators):
        if file.kind(operator) in between:  # beside the layer that is to be named
            continue
        for index in map(int, (*operator.inputs, *operator.outputs)):
            if index < 0 or index in constants:
                continue
            tensor = file.graph.tensors[index]
            if tensor.type != schema.TensorType.INT8:
                raise ValueError(
                    "a network for TensorFlow Lite Micro must be int8 throughout, but "
                    f"{_described(file, place, network)} computes other numbers"
                )
            signature = tensor.shapeSignature  # its first axis is the batch, 1 here
            if signature is not None and -1 in list(signature[1:]):
                raise ValueError(
                    "a network for TensorFlow Lite Micro must have fixed shapes, but "
                    f"that of {_described(file, place, network)} is dynamic"
                )


def _unknown_operator(message, network):
    """What the converter says of TensorFlow's operators that LiteRT lacks."""
    listed = re.search(r"^(?:TF Select|Custom) ops: (.*)$", message, re.MULTILINE)
    kinds = listed[1] if listed else message.strip().splitlines()[-1]
    return f"LiteRT has no operator for {_layer(message, network)}: {kinds}"


def _described(file, place, network):
    """An operator with the layer that it comes from."""
    operator = file.graph.operators[place]
    name = file.graph.tensors[int(operator.outputs[0])].name or b""
    text = name.decode() if isinstance(name, bytes) else name
    kind = _KINDS[file.kind(operator)]
    return f"{_layer(text, network)} (operator {place + 1}, {kind})"


def _layer(text, network):
    """The last of the layers that TensorFlow names, which the others are merged in."""
    parts = set(re.split(r"""[/;"'@]""", text))
    parts |= {re.sub(r"_\d+$", "", part) for part in parts}
    layers = [layer.name for layer in network.core.layers if layer.name in parts]
    return f"layer {layers[-1]!r}" if layers else "a layer"
