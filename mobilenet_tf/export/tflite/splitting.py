"""A convolution and what follows it channel by channel, some channels at a time.

Between a convolution that widens an image and a depthwise convolution or a pooling that
shrinks it lies the largest activation of a network. Each channel of the latter depends
on one channel alone, so that both can be computed for some of the channels, then for
the next, and joined behind: the same integers from the same mult-adds, while only a
part of the large activation exists at a time.
"""

from __future__ import annotations

import copy

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.export.tflite import arena
from mobilenet_tf.export.tflite.flatbuffer import File, Layer

_PARTS = (2, 4, 8)
# What another part costs in the interpreter's tables: two operators of 64 bytes, their
# state of 80 and six tensors of 24.
_BYTES_PER_PART = 440
_OPERATOR = schema.BuiltinOperator
# Each output channel is computed from the input channel of the same number.
_CHANNELWISE = (_OPERATOR.DEPTHWISE_CONV_2D, _OPERATOR.MAX_POOL_2D)


def split_widest(file: File) -> None:
    """Split pairs of operators as long as that lowers the memory of the file.

    Args:
        file: An int8 file.
    """
    while (better := _best_split(file)) is not None:
        file.graph.operators, file.graph.tensors = better


def _best_split(file):
    """Operators and tensors of the best split where memory is scarce, or None."""
    live = arena.live_bytes(arena.activations(file))
    scarce = live.index(max(live))
    best, least = None, max(live)
    for place in (scarce - 1, scarce):
        for parts in _PARTS:
            if not _splits(file, place, parts):
                continue
            trial = copy.copy(file)
            trial.graph = copy.copy(file.graph)
            trial.graph.tensors = list(file.graph.tensors)
            trial.graph.operators = list(file.graph.operators)
            trial.graph.operators[place : place + 2] = _split(trial, place, parts)
            needed = max(arena.live_bytes(arena.activations(trial)))
            needed += parts * _BYTES_PER_PART
            if needed < least:
                best = trial.graph.operators, trial.graph.tensors
                least = needed
    return best


def _splits(file, place, parts):
    """Whether a pair of operators can be computed in so many parts."""
    operators = file.graph.operators[place : place + 2] if place >= 0 else []
    kinds = [file.kind(operator) for operator in operators]
    if kinds[:1] != [_OPERATOR.CONV_2D] or kinds[-1] not in _CHANNELWISE:
        return False
    convolution, channelwise = operators
    (middle,) = map(int, convolution.outputs)
    readers = [
        operator
        for operator in file.graph.operators
        if middle in map(int, operator.inputs)
    ]
    tensors = file.graph.tensors
    image, weights, _ = (tensors[index] for index in convolution.inputs)
    grouped = image.shape[3] != weights.shape[3]
    channels = tensors[middle].shape[3]
    widened = tensors[channelwise.outputs[0]].shape[3] != channels
    return (
        readers == [channelwise] and not (grouped or widened) and channels % parts == 0
    )


def _split(file, place, parts):
    """The operators that take the place of a pair."""
    convolution, channelwise = file.graph.operators[place : place + 2]
    operators, results = [], []
    for part in range(parts):
        first = _part(file, convolution, int(convolution.inputs[0]), part, parts)
        second = _part(file, channelwise, int(first.outputs[0]), part, parts)
        operators += [first, second]
        results.append(int(second.outputs[0]))
    options = schema.ConcatenationOptionsT()
    options.axis = 3
    joined = list(map(int, channelwise.outputs))
    operators.append(file.operator(_OPERATOR.CONCATENATION, results, joined, options))
    return operators


def _part(file, operator, image, part, parts):
    """A convolution or a pooling with some of its output channels."""
    output = file.graph.tensors[operator.outputs[0]]
    count = output.shape[3] // parts
    name = f"part_{part}_{int(operator.outputs[0])}"
    partial = copy.copy(operator)
    partial.inputs = [image]
    if file.kind(operator) != _OPERATOR.MAX_POOL_2D:
        chosen = slice(part * count, (part + 1) * count)
        partial.inputs += _weights(file, operator, chosen, name)
    shape = [*output.shape[:3], count]
    partial.outputs = [file.add_tensor(name, int(operator.outputs[0]), shape)]
    return partial


def _weights(file, operator, chosen, name):
    """Tensors of the weights and the bias of some output channels."""
    layer = Layer(file, operator)
    weight_scales, bias_scales = layer.weight_scales, layer.bias_scales
    assert weight_scales is not None and bias_scales is not None  # the file is int8
    stored = np.moveaxis(layer.weights[chosen], 0, layer.axis)
    weights = file.add_constant(f"{name}_weights", stored)
    file.set_values(weights, stored, weight_scales[chosen], layer.axis)
    bias = file.add_constant(f"{name}_bias", layer.bias[chosen], bias_scales[chosen])
    return [weights, bias]
