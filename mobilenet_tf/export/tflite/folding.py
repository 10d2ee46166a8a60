"""Narrow convolutions of a file, changed to compute several columns at once.

A processor computes a number of output channels in parallel: its lanes. A convolution
with fewer channels, such as MobileNet's first at alpha 0.25, leaves lanes idle. In NHWC
layout, adjacent columns can be reshaped at no cost into a single column with more
channels. A kernel that is repeated once per column, and zero elsewhere, then computes
several output columns as a single column with more channels: bit-identical results,
from more mult-adds in less time.
"""

from __future__ import annotations

import copy

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.export.tflite.flatbuffer import File, Layer


def fold_columns(file: File, lanes: int) -> None:
    """Fold the convolutions that have at most half as many channels as there are lanes.

    Args:
        file: An int8 file.
        lanes: Output channels that the processor computes at once; 1 changes nothing.
    """
    operators: list[schema.OperatorT] = []
    for operator in file.graph.operators:
        columns = _columns(file, operator, lanes)
        operators += [operator] if columns == 1 else _folded(file, operator, columns)
    file.graph.operators = operators


def _columns(file, operator, lanes):
    """How many columns of the output are folded into one; 1 where it cannot be."""
    if file.kind(operator) != schema.BuiltinOperator.CONV_2D:
        return 1
    image, weights, _ = (file.graph.tensors[index] for index in operator.inputs)
    if image.shape[3] != weights.shape[3]:  # groups would be mixed
        return 1
    width, kernel = image.shape[2], weights.shape[2]
    _, _, columns, channels = file.graph.tensors[operator.outputs[0]].shape
    options = operator.builtinOptions
    stride = options.strideW
    # A folded column starts at the first kernel: there must be no padding on the left.
    starts_at_zero = width == columns * stride and kernel <= stride + 1
    if not starts_at_zero or options.dilationWFactor > 1:
        return 1
    fitting = range(1, max(lanes // channels, 1) + 1)
    return max(count for count in fitting if columns % count == 0)


def _folded(file, operator, columns):
    """The operators that replace a convolution."""
    layer, tensors = Layer(file, operator), file.graph.tensors
    weight_scales, bias_scales = layer.weight_scales, layer.bias_scales
    assert weight_scales is not None and bias_scales is not None  # the file is int8
    image, result = layer.input, layer.output
    batch, height, width, depth = tensors[image].shape
    stride = operator.builtinOptions.strideW
    wide = columns * stride
    name = f"folded_{result}"
    folded_image = file.add_tensor(
        f"{name}_image", image, (batch, height, width // wide, wide * depth)
    )
    batch, height, width, channels = tensors[result].shape
    folded_result = file.add_tensor(
        f"{name}_result", result, (batch, height, width // columns, columns * channels)
    )
    weights = file.add_constant(
        f"{name}_weights",
        _repeated(layer.weights, columns, stride),
        np.tile(weight_scales, columns),
    )
    bias = file.add_constant(
        f"{name}_bias",
        np.tile(layer.bias, columns),
        np.tile(bias_scales, columns),
    )
    convolution = copy.copy(operator)
    convolution.builtinOptions = copy.copy(operator.builtinOptions)
    convolution.builtinOptions.strideW = 1
    convolution.inputs = [folded_image, weights, bias]
    convolution.outputs = [folded_result]
    return [
        _reshape(file, image, folded_image),
        convolution,
        _reshape(file, folded_result, result),
    ]


def _repeated(weights, columns, stride):
    """`(n, height, width, c)` to `(columns * n, height, 1 or 2, columns * stride * c)`.

    The kernel of output column j starts `j * stride` columns to the right.
    """
    channels, height, width, depth = weights.shape
    wide = columns * stride
    count = -(-((columns - 1) * stride + width) // wide)
    shape = (columns, channels, height, count * wide, depth)
    repeated = np.zeros(shape, weights.dtype)
    for column in range(columns):
        start = column * stride
        repeated[column, :, :, start : start + width] = weights
    return repeated.reshape(columns * channels, height, count, wide * depth)


def _reshape(file, before, after):
    shape = np.array(file.graph.tensors[after].shape, "int32")
    index = file.add_constant(f"shape_{after}", shape)
    options = schema.ReshapeOptionsT()
    options.newShape = list(shape)
    kind = schema.BuiltinOperator.RESHAPE
    return file.operator(kind, [before, index], [after], options)
