"""Changes to the operators of an int8 file that a converter does not make."""

from __future__ import annotations

import copy

from tensorflow.lite.python import schema_py_generated as schema

from mobilenet_tf.export.tflite.flatbuffer import File


def quantize_through_float(file: File) -> None:
    """Turn uint8 pixels into int8 by way of float32: the same integers, sooner.

    The file starts with an operator from uint8 to int8 with one scale, which XNNPACK
    leaves to a slow loop; both steps by way of float32 are XNNPACK's.
    """
    quantize = file.graph.operators[0]
    (pixels,) = quantize.inputs
    middle = file.add_tensor("pixels", pixels)
    _make_float(file.graph.tensors[middle])
    kind = schema.BuiltinOperator.DEQUANTIZE
    dequantize = file.operator(kind, [pixels], [middle], schema.DequantizeOptionsT())
    quantize.inputs = [middle]
    file.graph.operators.insert(0, dequantize)


def dequantize_before_last(file: File) -> None:
    """Exchange the last two operators: a dense layer or a mean, and a dequantisation.

    The first then takes and gives float32. A dense layer keeps its int8 weights; its
    inputs are quantised again while it runs, with a scale of their own.

    Raises:
        ValueError: The file ends in another way.
    """
    last, dequantize = file.graph.operators[-2:]
    dense = schema.BuiltinOperator.FULLY_CONNECTED
    ends = (dense, schema.BuiltinOperator.MEAN), (schema.BuiltinOperator.DEQUANTIZE,)
    if file.kind(last) not in ends[0] or file.kind(dequantize) not in ends[1]:
        raise ValueError("the network must end with a dense layer or an average")
    features, middle = last.inputs[0], last.outputs[0]
    tensor = file.graph.tensors[middle]
    tensor.shape = list(file.graph.tensors[features].shape)
    tensor.shapeSignature = None
    _make_float(tensor)
    first, second = copy.copy(dequantize), copy.copy(last)
    first.inputs, first.outputs = [features], [middle]
    second.inputs, second.outputs = [middle, *last.inputs[1:]], dequantize.outputs
    if file.kind(last) == dense:
        second.builtinOptions.asymmetricQuantizeInputs = True
    file.graph.operators[-2:] = [first, second]


def append_softmax(file: File) -> None:
    """Turn the float32 outputs into probabilities."""
    (logits,) = file.graph.operators[-1].outputs
    probabilities = file.add_tensor("probabilities", logits)
    options = schema.SoftmaxOptionsT()
    options.beta = 1.0
    kind = schema.BuiltinOperator.SOFTMAX
    softmax = file.operator(kind, [logits], [probabilities], options)
    file.graph.operators.append(softmax)
    file.graph.outputs = [probabilities]
    for signature in file.model.signatureDefs or ():
        signature.outputs[0].tensorIndex = probabilities


def _make_float(tensor):
    tensor.type, tensor.quantization = schema.TensorType.FLOAT32, None
