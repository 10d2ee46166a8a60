"""Memory of an int8 network on a microcontroller, counted from its graph.

Layers run one after another; an activation is kept until the last layer that reads it
has run. Nothing is converted or run here: the estimate says whether a network can fit
before it is trained. `mobilenet_tf.export.micro` measures what it needs.
"""

from __future__ import annotations

import dataclasses
import math

import keras
from keras import layers

# Converters merge them into the layer before, or give their input on.
_WITHOUT_MEMORY = (
    layers.Activation,
    layers.BatchNormalization,
    layers.Dropout,
    layers.Flatten,
    layers.ReLU,
    layers.Rescaling,
    layers.Reshape,
)
_WITH_CHANNELS = (layers.Conv2D, layers.Dense, layers.DepthwiseConv2D)
_ALIGNMENT = 16  # of every activation, in bytes

# What TensorFlow Lite Micro keeps on a 64-bit machine, from its own account of a
# MobileNet: per output channel a multiplier and a shift, per operator an entry and a
# state, per tensor an entry; and the interpreter's own tables.
_BYTES_PER_CHANNEL = 8
_BYTES_PER_OPERATOR = 64 + 80
_BYTES_PER_TENSOR = 24
_BYTES_OF_INTERPRETER = 1600


@dataclasses.dataclass(frozen=True)
class ArenaEstimate:
    """Memory that TensorFlow Lite Micro needs for an int8 network, estimated.

    Attributes:
        activation_bytes: Most bytes of activations that exist at once, layer by layer.
        persistent_bytes: State of the operators, and tables.
    """

    activation_bytes: int
    persistent_bytes: int

    @property
    def arena_bytes(self) -> int:
        """Both together."""
        return self.activation_bytes + self.persistent_bytes


def estimate_arena(model: keras.Model) -> ArenaEstimate:
    """Estimate the arena of a network that runs layer by layer in int8.

    Batch normalisation and activation functions belong to the layer before them. A
    file may need less, where it computes wide layers in parts, or more, where the
    interpreter's own placement of activations leaves gaps.

    Args:
        model: A functional or sequential model with a fixed input size, without other
            models inside it: see `mobilenet_tf.models.graph.flatten`.

    Raises:
        ValueError: The model has another model inside it, or no fixed input size.
    """
    graph = getattr(model, "_functional", None) or model  # `_functional`: Sequential
    born: dict[int, int] = {}  # step at which a tensor's memory is written
    dies: dict[int, int] = {}
    sizes: dict[int, int] = {}
    memory: dict[int, int] = {}  # tensor whose memory a tensor has
    channels = operators = tensors = 0
    for step, (operation, node) in enumerate(_steps(graph)):
        (output,) = node.outputs
        read = [memory[id(tensor)] for tensor in node.input_tensors]
        dies.update(dict.fromkeys(read, step))
        if read and isinstance(operation, _WITHOUT_MEMORY):
            memory[id(output)] = read[0]
            continue
        memory[id(output)] = id(output)
        born[id(output)] = dies[id(output)] = step
        sizes[id(output)] = _size(operation, output)
        tensors += 1
        if read:
            operators += 1
        if isinstance(operation, _WITH_CHANNELS):
            channels += output.shape[-1]
            tensors += 2  # weights and biases
    steps = max(dies.values()) + 1
    alive = [
        sum(size for key, size in sizes.items() if born[key] <= step <= dies[key])
        for step in range(steps)
    ]
    persistent = (
        channels * _BYTES_PER_CHANNEL
        + operators * _BYTES_PER_OPERATOR
        + tensors * _BYTES_PER_TENSOR
        + _BYTES_OF_INTERPRETER
    )
    return ArenaEstimate(max(alive), persistent)


def _steps(graph):
    """Each operation with its node, in the order in which they run."""
    own = {
        id(node.operation): node
        for nodes in graph._nodes_by_depth.values()
        for node in nodes
    }
    for operation in graph.operations:
        if isinstance(operation, keras.Model):
            raise ValueError(
                f"model must have no models inside it, got {operation.name!r} in "
                f"{graph.name!r}: see mobilenet_tf.models.graph.flatten"
            )
        yield operation, own[id(operation)]


def _size(operation, tensor):
    shape = tensor.shape[1:]
    if None in shape:
        raise ValueError(
            f"the model must have a fixed input size, but layer {operation.name!r} has "
            f"output shape {shape}"
        )
    return -(-math.prod(shape) // _ALIGNMENT) * _ALIGNMENT
