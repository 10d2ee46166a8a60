"""Changes to the operators of an int8 file that a converter does not make."""

from __future__ import annotations

import copy

from tensorflow.lite.python import schema_py_generated as schema

from mobilenet_tf.export.flatbuffer import File


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
    """Exchange the last two operators, a dense layer and a dequantisation.

    The dense layer then takes and gives float32, and keeps its int8 weights.
    """
    dense, dequantize = file.graph.operators[-2:]
    features, middle = dense.inputs[0], dense.outputs[0]
    tensor = file.graph.tensors[middle]
    tensor.shape = list(file.graph.tensors[features].shape)
    tensor.shapeSignature = None
    _make_float(tensor)
    first, last = copy.copy(dequantize), copy.copy(dense)
    first.inputs, first.outputs = [features], [middle]
    last.inputs, last.outputs = [middle, *dense.inputs[1:]], dequantize.outputs
    last.builtinOptions.asymmetricQuantizeInputs = True
    file.graph.operators[-2:] = [first, last]


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
