"""What a step of compression has done, layer by layer."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np

from mobilenet_tf.analysis import cost, table
from mobilenet_tf.compression import kernels
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.training import classifier
from mobilenet_tf.training.recipe import Recipe


@dataclasses.dataclass(frozen=True)
class LayerReport:
    """The kernel of a layer, or of a part: entries, share of zeros, distinct values."""

    name: str
    weights: int
    sparsity: float
    distinct: int


@dataclasses.dataclass(frozen=True)
class Report:
    """What is left of a network.

    Attributes:
        step: What was done.
        layers: The layers with a kernel, in order.
        left_out: Those of them that the step did not touch.
        weights: Entries of all kernels before the step, and entries that are not zero
            after it.
        mult_adds: Mult-adds per image before the step, and after it without those by
            zero.
        top1: Accuracy on the evaluation split before and after, as fractions; None
            without data.
    """

    step: str
    layers: tuple[LayerReport, ...]
    left_out: tuple[str, ...]
    weights: tuple[int, int]
    mult_adds: tuple[int, int]
    top1: tuple[float, float] | None

    def __str__(self):
        columns = ("Layer", "Weights", "Sparsity %", "Distinct values")
        cells = [
            (
                layer.name,
                f"{layer.weights:,}",
                table.percent(layer.sparsity),
                f"{layer.distinct:,}",
            )
            for layer in self.layers
        ]
        lines = [
            self.step,
            table.render(columns, cells),
            _change("weights that are not zero", *self.weights),
            _change("mult-adds that are not by zero", *self.mult_adds),
        ]
        if self.left_out:
            lines.append(f"left out: {', '.join(self.left_out)}")
        if self.top1:
            before, after = map(table.percent, self.top1)
            lines.append(f"top-1: {before} % before, {after} % after")
        return "\n".join(lines)


def make(
    step: str,
    before: keras.Model,
    after: keras.Model,
    left_out: list[str],
    top1: tuple[float, float] | None,
) -> Report:
    """Compare a network before and after a step."""
    return Report(
        step,
        tuple(_layers(after)),
        tuple(left_out),
        (cost.parameters(before), _left(after)[0]),
        (cost.mult_adds(before), _left(after)[1]),
        top1,
    )


def accuracy(model: keras.Model, data: DataSet, recipe: Recipe) -> float:
    """Top-1 accuracy on the evaluation split."""
    split, crop = data.evaluation, recipe.central_fraction
    return classifier.evaluate(model, split, data.side, crop)["top1"]


def _layers(model):
    for name, values in kernels.by_name(model).items():
        zeros = 1 - np.count_nonzero(values) / values.size
        yield LayerReport(name, values.size, zeros, len(np.unique(values)))


def _left(model):
    """Weights that are not zero and mult-adds that they take part in."""
    weights = mult_adds = 0
    arrays = (
        array
        for layer in model.layers
        for array in layer.get_weights()
        if array.ndim > 1
    )
    layers = (layer for layer in cost.per_layer(model) if layer.weights)
    for layer, array in zip(layers, arrays, strict=True):
        left = int(np.count_nonzero(array))
        weights += left
        # Every entry of a kernel is used at as many places as any other.
        mult_adds += layer.mult_adds // layer.weights * left
    return weights, mult_adds


def _change(name, before, after):
    return f"{name}: {after:,} of {before:,}, {100 * after / before:.1f} %"
