"""Cost of each layer of a Keras model; `mobilenet_tf.analysis.cost` adds them up."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import keras
from keras import layers

_FREE = (
    layers.Activation,
    layers.Add,
    layers.AveragePooling2D,
    layers.Concatenate,
    layers.Dropout,
    layers.Flatten,
    layers.GlobalAveragePooling2D,
    layers.GlobalMaxPooling2D,
    layers.InputLayer,
    layers.MaxPooling2D,
    layers.Permute,
    layers.ReLU,
    layers.Rescaling,
    layers.Reshape,
    layers.Softmax,
    layers.ZeroPadding2D,
)
# Operations that are not layers and only move data.
_FREE_OPERATIONS = ("Reshape", "Take", "Transpose")


@dataclasses.dataclass(frozen=True)
class LayerCost:
    """Cost of one layer.

    Attributes:
        name: Name of the layer.
        kind: "Conv 3x3", "Conv DW 3x3", "Conv 1x1", "Fully Connected", "Batch norm"
            or "Other".
        output_shape: Output shape without the batch axis.
        mult_adds: Mult-adds per image.
        weights: Number of kernel entries.
        biases: Number of bias entries.
        normalized_channels: Channels of a batch normalisation; gamma, beta, mean and
            variance have one entry each per channel.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    mult_adds: int = 0
    weights: int = 0
    biases: int = 0
    normalized_channels: int = 0


def per_layer(model: keras.Model) -> list[LayerCost]:
    """Cost of each layer, in the order of the model; nested models are expanded.

    A `SeparableConv2D` gives two entries, for its depthwise and its pointwise part.

    Args:
        model: A functional or sequential model with a fixed input size.

    Raises:
        ValueError: The cost of a layer is unknown, a layer is used more than once, or
            the input size is not fixed.
    """
    costs = []
    for operation, shape in _operations(model):
        if isinstance(operation, keras.Model):
            costs += per_layer(operation)
        elif isinstance(operation, keras.layers.Layer):
            costs += _layer_costs(operation, shape)
        elif type(operation).__name__ not in _FREE_OPERATIONS:
            raise _unknown(operation)
    return costs


def _operations(model: keras.Model) -> Iterator[tuple[Any, tuple[int, ...]]]:
    """Each layer or operation of the graph with its output shape, without the batch."""
    graph = getattr(model, "_functional", None) or model  # `_functional`: Sequential
    nodes: dict[int, list[Any]] = {}
    for depth in graph._nodes_by_depth.values():
        for node in depth:
            nodes.setdefault(id(node.operation), []).append(node)
    for operation in graph.operations:
        uses = nodes[id(operation)]
        if len(uses) > 1:
            raise ValueError(
                f"layer {operation.name!r} is used {len(uses)} times; costs are only "
                "defined for layers that are used once"
            )
        shape = tuple(uses[0].output_tensors[0].shape[1:])
        if None in shape:
            raise ValueError(
                f"the model must have a fixed input size, but layer "
                f"{operation.name!r} has output shape {shape}"
            )
        yield operation, shape


def _layer_costs(layer: keras.layers.Layer, shape: tuple[int, ...]) -> list[LayerCost]:
    name = layer.name
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        raise ValueError(f"layer {name!r} must be channels_last, got channels_first")
    if isinstance(layer, layers.SeparableConv2D):
        return [
            _kernel_cost(f"{name}/depthwise", layer.depthwise_kernel, shape, "DW "),
            _kernel_cost(f"{name}/pointwise", layer.pointwise_kernel, shape, "", layer),
        ]
    # The kernel of DepthwiseConv2D is (height, width, channels, multiplier).
    if isinstance(layer, layers.DepthwiseConv2D):
        return [_kernel_cost(name, layer.kernel, shape, "DW ", layer)]
    if type(layer) is layers.Conv2D:
        return [_kernel_cost(name, layer.kernel, shape, "", layer)]
    if isinstance(layer, layers.Dense):
        weights = math.prod(layer.kernel.shape)
        return [
            LayerCost(
                name,
                "Fully Connected",
                shape,
                weights * math.prod(shape[:-1]),
                weights,
                shape[-1] if layer.use_bias else 0,
            )
        ]
    if isinstance(layer, layers.BatchNormalization):
        channels = layer.moving_mean.shape[0]
        return [LayerCost(name, "Batch norm", shape, normalized_channels=channels)]
    if isinstance(layer, _FREE):
        return [LayerCost(name, "Other", shape)]
    raise _unknown(layer)


def _unknown(operation: Any) -> ValueError:
    kind = type(operation).__name__
    return ValueError(f"the cost of layer {operation.name!r} of type {kind} is unknown")


def _kernel_cost(
    name: str,
    kernel: Any,
    shape: tuple[int, ...],
    prefix: str,
    layer: keras.layers.Layer | None = None,
) -> LayerCost:
    """Cost of a convolution; `layer` is given if its bias counts."""
    # Every entry of the kernel is used once per output position, whatever the stride,
    # dilation, padding and number of groups.
    weights = math.prod(kernel.shape)
    height, width = kernel.shape[:2]
    return LayerCost(
        name,
        f"Conv {prefix}{height}x{width}",
        shape,
        weights * math.prod(shape[:2]),
        weights,
        shape[-1] if layer is not None and layer.use_bias else 0,
    )
