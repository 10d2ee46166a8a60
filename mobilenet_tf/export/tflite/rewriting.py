"""Changes to the operators of an int8 file after its conversion."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.export.tflite.flatbuffer import File

_OPERATOR = schema.BuiltinOperator


def quantize_through_float(file: File) -> None:
    """Turn uint8 pixels into int8 by way of float32: the same integers, sooner.

    The file starts with an operator from uint8 to int8 with one scale, which XNNPACK
    leaves to a slow loop; both steps by way of float32 are XNNPACK's.
    """
    quantize = file.graph.operators[0]
    (pixels,) = quantize.inputs
    middle = file.add_tensor("pixels", pixels)
    _make_float(file.graph.tensors[middle])
    kind = _OPERATOR.DEQUANTIZE
    dequantize = file.operator(kind, [pixels], [middle], schema.DequantizeOptionsT())
    quantize.inputs = [middle]
    file.graph.operators.insert(0, dequantize)


def make_reshapes_constant(file: File) -> None:
    """Give every reshaping its shape as a constant, and drop its computation.

    Keras computes the shape from the batch size at run time, with three more operators
    that XNNPACK does not have. Here the batch size is always 1.
    """
    operators, tensors = file.graph.operators, file.graph.tensors
    for operator in operators:
        if file.kind(operator) == _OPERATOR.RESHAPE:
            shape = np.array(tensors[operator.outputs[0]].shape, "int32")
            index = file.add_constant(f"shape_{operator.outputs[0]}", shape)
            operator.inputs = [operator.inputs[0], index]
    read = set(map(int, file.graph.outputs))
    for operator in reversed(operators[:]):
        if read.isdisjoint(map(int, operator.outputs)):
            operators.remove(operator)
        else:
            read.update(map(int, operator.inputs))


def make_head_float(file: File) -> bool:
    """Move the dequantisation before the last layer, which computes in float32.

    The last layer is a dense layer, a convolution of a single position, or a mean;
    reshaping may follow it. Weights stay int8: their inputs are quantised again while
    the layer runs, with a scale of their own.

    Returns:
        Whether the layer has weights, whose bias is to be float32 then.

    Raises:
        ValueError: The file ends in another layer.
    """
    operators = file.graph.operators
    index = _head_index(file)
    head, dequantize = operators[index], operators[-1]
    weighted = file.kind(head) != _OPERATOR.MEAN
    if file.kind(head) == _OPERATOR.CONV_2D:
        _make_dense(file, head)
    if weighted:
        head.builtinOptions.asymmetricQuantizeInputs = True
    features = head.inputs[0]
    float_features = file.add_tensor("features", features)
    _make_float(file.graph.tensors[float_features])
    for operator in operators[index:-1]:
        _make_float(file.graph.tensors[operator.outputs[0]])
    head.inputs[0] = float_features
    operators[-2].outputs = dequantize.outputs
    dequantize.inputs, dequantize.outputs = [features], [float_features]
    operators.insert(index, operators.pop())
    return weighted


def _head_index(file):
    kinds = [file.kind(operator) for operator in file.graph.operators]
    index = len(kinds) - 2
    while kinds[index] == _OPERATOR.RESHAPE:
        index -= 1
    heads = _OPERATOR.FULLY_CONNECTED, _OPERATOR.CONV_2D, _OPERATOR.MEAN
    if kinds[-1] != _OPERATOR.DEQUANTIZE or kinds[index] not in heads:
        raise ValueError("the network must end with a dense layer or an average")
    return index


def _make_dense(file, operator):
    """Turn a 1x1 convolution of a single position into the dense layer that it is."""
    tensors = file.graph.tensors
    image, weights, result = (
        tensors[index]
        for index in (operator.inputs[0], operator.inputs[1], operator.outputs[0])
    )
    positions = (*image.shape[1:3], *weights.shape[1:3])
    if set(positions) != {1}:
        raise ValueError(
            "a convolution that classifies must see one position or be averaged"
        )
    weights.shape = [weights.shape[0], weights.shape[3]]
    result.shape, result.shapeSignature = [1, weights.shape[0]], None
    options = schema.FullyConnectedOptionsT()
    activation = operator.builtinOptions.fusedActivationFunction
    options.fusedActivationFunction = activation
    file.set_kind(operator, _OPERATOR.FULLY_CONNECTED, options)


def append_softmax(file: File) -> None:
    """Turn the float32 outputs into probabilities."""
    (logits,) = file.graph.operators[-1].outputs
    probabilities = file.add_tensor("probabilities", logits)
    options = schema.SoftmaxOptionsT()
    options.beta = 1.0
    kind = _OPERATOR.SOFTMAX
    softmax = file.operator(kind, [logits], [probabilities], options)
    file.graph.operators.append(softmax)
    file.graph.outputs = [probabilities]
    for signature in file.model.signatureDefs or ():
        signature.outputs[0].tensorIndex = probabilities


def _make_float(tensor):
    tensor.type, tensor.quantization = schema.TensorType.FLOAT32, None


def make_ends_int8(file: File) -> None:
    """Let the file take and give int8, without the operators that convert uint8.

    Pixels are what they were, minus 128.

    Args:
        file: An int8 file with inputs and outputs of uint8.
    """
    first, last = file.graph.operators[0], file.graph.operators[-1]
    assert file.kind(first) == file.kind(last) == _OPERATOR.QUANTIZE
    file.graph.operators = file.graph.operators[1:-1]
    file.graph.inputs, file.graph.outputs = list(first.outputs), list(last.inputs)
    file.model.signatureDefs = None
