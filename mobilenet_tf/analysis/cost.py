"""Exact number of parameters and mult-adds of a Keras model, layer by layer.

A mult-add is one multiplication and one addition. As in both papers, convolutions and
dense layers count; biases, normalisation, activations, pooling and additions do not.
"""

from __future__ import annotations

import keras

from mobilenet_tf import arguments
from mobilenet_tf.analysis.layer_cost import LayerCost, per_layer

__all__ = ["LayerCost", "by_kind", "mult_adds", "parameters", "per_layer", "summary"]
CONVENTIONS = ("weights", "slim", "keras")


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
