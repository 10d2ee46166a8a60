"""Exact number of parameters and mult-adds of a Keras model, layer by layer.

A mult-add is one multiplication and one addition. As in both papers, convolutions and
dense layers count; biases, normalisation, activations, pooling and additions do not.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import keras
from keras import layers

from mobilenet_tf import arguments

CONVENTIONS = ("weights", "slim", "keras")

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


def mult_adds(model: keras.Model, include_classifier: bool = True) -> int:
    """Number of mult-adds per image.

    Args:
        model: A functional or sequential model with a fixed input size.
        include_classifier: Whether dense layers count. They do in the tables of arXiv
            1704.04861, except in Table 12 and in single rows of Tables 4 and 9.

    Raises:
        ValueError: As for `per_layer`.
    """
    return sum(
        cost.mult_adds
        for cost in per_layer(model)
        if include_classifier or cost.kind != "Fully Connected"
    )


def parameters(model: keras.Model, convention: str = "weights") -> int:
    """Number of parameters.

    Args:
        model: A functional or sequential model with a fixed input size.
        convention: "weights" counts the kernels of convolutions and dense layers, as
            the tables of arXiv 1704.04861 do; "slim" adds biases and three values per
            normalised channel, as TF-Slim's list of checkpoints does; "keras" is
            `model.count_params()`.

    Raises:
        ValueError: `convention` is none of these, or as for `per_layer`.
    """
    arguments.one_of("convention", convention, CONVENTIONS)
    if convention == "keras":
        return model.count_params()
    costs = per_layer(model)
    total = sum(cost.weights for cost in costs)
    if convention == "slim":
        total += sum(cost.biases + 3 * cost.normalized_channels for cost in costs)
    return total


def by_kind(model: keras.Model) -> dict[str, tuple[int, int]]:
    """`{layer kind: (mult-adds, weights)}`, as in Table 2 of arXiv 1704.04861."""
    totals: dict[str, tuple[int, int]] = {}
    for cost in per_layer(model):
        if cost.weights:
            adds, weights = totals.get(cost.kind, (0, 0))
            totals[cost.kind] = (adds + cost.mult_adds, weights + cost.weights)
    return totals


def summary(model: keras.Model) -> str:
    """Text table of the layers with weights: output shape, mult-adds and weights."""
    rows = [("layer", "kind", "output", "mult-adds", "weights")]
    costs = [cost for cost in per_layer(model) if cost.weights]
    rows += [
        (
            cost.name,
            cost.kind,
            "x".join(map(str, cost.output_shape)),
            f"{cost.mult_adds:,}",
            f"{cost.weights:,}",
        )
        for cost in costs
    ]
    rows.append(
        (
            "total",
            "",
            "",
            f"{sum(cost.mult_adds for cost in costs):,}",
            f"{sum(cost.weights for cost in costs):,}",
        )
    )
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        "  ".join(
            cell.ljust(size) if column < 3 else cell.rjust(size)
            for column, (cell, size) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


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
