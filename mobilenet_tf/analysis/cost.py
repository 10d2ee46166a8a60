"""Parameters and mult-adds of a Keras model, exact, layer by layer.

One mult-add is a multiplication and an addition. Convolutions and dense layers count;
biases, normalisation, activations, pooling and additions are free, as in both papers.
"""

from __future__ import annotations

import dataclasses
import math

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
# Operations without a layer that move numbers and compute nothing.
_FREE_OPERATIONS = ("Reshape", "Take", "Transpose")


@dataclasses.dataclass(frozen=True)
class LayerCost:
    """What one layer costs.

    Attributes:
        name: The layer's name.
        kind: "Conv 3x3", "Conv DW 3x3", "Conv 1x1", "Fully Connected", "Batch norm"
            or "Other".
        output_shape: Without the batch axis.
        mult_adds: Per image.
        weights: Entries of the kernels.
        biases: Entries of the biases.
        statistics: Channels that are normalised (gamma, beta, mean and variance each
            have that many entries).
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    mult_adds: int = 0
    weights: int = 0
    biases: int = 0
    statistics: int = 0


def per_layer(model: keras.Model) -> list[LayerCost]:
    """The cost of each layer, in the order of the model.

    A `SeparableConv2D` gives two entries, its depthwise and its pointwise part.

    Raises:
        ValueError: The model has a layer whose cost is not known, or has no fixed
            input size.
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


def _operations(model):
    """Layers and operations of a graph, each with the shape that it gives there."""
    graph = getattr(model, "_functional", None) or model  # of a Sequential
    nodes = {}
    for depth in graph._nodes_by_depth.values():
        for node in depth:
            nodes.setdefault(id(node.operation), []).append(node)
    for operation in graph.operations:
        found = nodes[id(operation)]
        if len(found) > 1:
            raise ValueError(
                f"layer {operation.name!r} is used {len(found)} times; what it costs "
                "would be counted once"
            )
        shape = tuple(found[0].output_tensors[0].shape[1:])
        if None in shape:
            raise ValueError(
                f"the model must have a fixed input size, but layer "
                f"{operation.name!r} has output shape {shape}"
            )
        yield operation, shape


def mult_adds(model: keras.Model, include_classifier: bool = True) -> int:
    """Mult-adds per image.

    Args:
        model: A functional model of fixed input size.
        include_classifier: Whether dense layers count. The tables of arXiv 1704.04861
            include them, except Table 12 and single rows of Tables 4 and 9.
    """
    return sum(
        cost.mult_adds
        for cost in per_layer(model)
        if include_classifier or cost.kind != "Fully Connected"
    )


def parameters(model: keras.Model, convention: str = "weights") -> int:
    """Number of parameters.

    Args:
        model: A functional model.
        convention: "weights" counts convolution and dense kernels, which reproduces
            the tables of arXiv 1704.04861; "slim" adds biases and three values per
            normalised channel, which reproduces TF-Slim's list of checkpoints; "keras"
            is `model.count_params()`.
    """
    arguments.one_of("convention", convention, CONVENTIONS)
    if convention == "keras":
        return model.count_params()
    costs = per_layer(model)
    total = sum(cost.weights for cost in costs)
    if convention == "slim":
        total += sum(cost.biases + 3 * cost.statistics for cost in costs)
    return total


def by_kind(model: keras.Model) -> dict[str, tuple[int, int]]:
    """`{kind of layer: (mult-adds, weights)}`, as Table 2 of arXiv 1704.04861."""
    totals: dict[str, tuple[int, int]] = {}
    for cost in per_layer(model):
        if cost.weights:
            adds, weights = totals.get(cost.kind, (0, 0))
            totals[cost.kind] = (adds + cost.mult_adds, weights + cost.weights)
    return totals


def summary(model: keras.Model) -> str:
    """The layers with weights: output shape, actual width, mult-adds and weights."""
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


def _layer_costs(layer, shape) -> list[LayerCost]:
    name = layer.name
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        raise ValueError(f"layer {name!r} must be channels_last, got channels_first")
    if isinstance(layer, layers.SeparableConv2D):
        return [
            _kernel_cost(f"{name}/depthwise", layer.depthwise_kernel, shape, "DW "),
            _kernel_cost(f"{name}/pointwise", layer.pointwise_kernel, shape, "", layer),
        ]
    # DepthwiseConv2D has a `kernel` as well, (height, width, channels, multiplier).
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
        return [LayerCost(name, "Batch norm", shape, statistics=channels)]
    if isinstance(layer, _FREE):
        return [LayerCost(name, "Other", shape)]
    raise _unknown(layer)


def _unknown(operation):
    kind = type(operation).__name__
    return ValueError(
        f"the cost of layer {operation.name!r} of type {kind} is not known"
    )


def _kernel_cost(name, kernel, shape, prefix, layer=None):
    # Every entry of the kernel is used once per output position; that holds for any
    # stride, dilation, padding and number of groups.
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
