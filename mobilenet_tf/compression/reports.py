"""Reports of compression steps, layer by layer."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator

import keras
import numpy as np

from mobilenet_tf.analysis import cost, table
from mobilenet_tf.compression import kernels
from mobilenet_tf.compression.entropy import kernel_bits
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.training.evaluation import evaluate
from mobilenet_tf.training.recipe import Recipe

_GROWTH = 1.02  # of the estimated bytes, above which the report speaks of it


@dataclasses.dataclass(frozen=True)
class LayerReport:
    """The kernel of a layer, or of a part of one.

    Attributes:
        name: The layer's.
        weights: Entries of the kernel.
        sparsity: Share of them that are zero.
        distinct: Distinct values among them.
        kilobytes: Estimated size in a file of the codec; see `entropy`.
    """

    name: str
    weights: int
    sparsity: float
    distinct: int
    kilobytes: float


@dataclasses.dataclass(frozen=True)
class Report:
    """The effect of a step on a network.

    Attributes:
        step: What was done.
        before: The layers with a kernel before the step, in order.
        layers: Those after it.
        left_out: Names of those that the step did not change.
        weights: Entries of all kernels before the step, and entries that are not zero
            after it.
        mult_adds: Mult-adds per image before the step, and after it without those by
            zero.
        top1: Accuracy on the evaluation split before and after, as fractions; None
            without data.
        notes: Further sentences.
    """

    step: str
    before: tuple[LayerReport, ...]
    layers: tuple[LayerReport, ...]
    left_out: tuple[str, ...]
    weights: tuple[int, int]
    mult_adds: tuple[int, int]
    top1: tuple[float, float] | None
    notes: tuple[str, ...] = ()

    @property
    def kilobytes(self) -> tuple[float, float]:
        """Estimated size of the kernels in a file of the codec, before and after."""
        before, after = (
            sum(layer.kilobytes for layer in layers)
            for layers in (self.before, self.layers)
        )
        return before, after

    def __str__(self) -> str:
        columns = ("Layer", "Weights", "Sparsity %", "Distinct values", "kB")
        cells = [
            (
                layer.name,
                f"{layer.weights:,}",
                table.percent(layer.sparsity),
                f"{layer.distinct:,}",
                f"{layer.kilobytes:,.1f}",
            )
            for layer in self.layers
        ]
        before, after = self.kilobytes
        lines = [
            self.step,
            table.render(columns, cells),
            _change("weights that are not zero", *self.weights),
            _change("mult-adds that are not by zero", *self.mult_adds),
            f"kernels in a file of the codec: about {after:,.1f} kB, {before:,.1f} kB "
            "before",
        ]
        if after > _GROWTH * before:
            lines.append(self._growth())
        if self.left_out:
            lines.append(f"left out: {', '.join(self.left_out)}")
        if self.top1:
            top1 = tuple(map(table.percent, self.top1))
            lines.append(f"top-1: {top1[0]} % before, {top1[1]} % after")
        return "\n".join([*lines, *self.notes])

    def _growth(self) -> str:
        """The layer that makes the file larger, and the reason."""
        before = {layer.name: layer for layer in self.before}
        pairs = [
            (before[layer.name], layer) for layer in self.layers if layer.name in before
        ]
        old, new = max(pairs, key=lambda pair: pair[1].kilobytes - pair[0].kilobytes)
        return (
            f"the codec's file becomes larger: most of all {new.name!r}, of which the "
            f"kernel has {new.distinct:,} distinct values instead of {old.distinct:,} "
            f"and {table.percent(new.sparsity)} % zeros instead of "
            f"{table.percent(old.sparsity)} %"
        )


def make(
    step: str,
    before: keras.Model,
    after: keras.Model,
    left_out: Collection[str],
    top1: tuple[float, float] | None,
    notes: Collection[str] = (),
) -> Report:
    """Compare a flat network before and after a step."""
    weights, mult_adds = _not_zero(after)
    return Report(
        step,
        tuple(_layers(before)),
        tuple(_layers(after)),
        tuple(left_out),
        (cost.parameters(before), weights),
        (cost.mult_adds(before), mult_adds),
        top1,
        tuple(notes),
    )


def accuracy(
    model: keras.Model,
    data: DataSet,
    recipe: Recipe,
    input_range: tuple[float, float],
) -> float:
    """Top-1 accuracy on the evaluation split, as a fraction."""
    evaluation = evaluate(
        model,
        data,
        central_fraction=recipe.central_fraction,
        input_range=input_range,
    )
    assert evaluation.top1 is not None  # the data have one label each
    return evaluation.top1


def _layers(model) -> Iterator[LayerReport]:
    for name, values in kernels.by_name(model).items():
        zeros = 1 - np.count_nonzero(values) / values.size
        distinct, kilobytes = len(np.unique(values)), kernel_bits(values) / 8000
        yield LayerReport(name, values.size, zeros, distinct, kilobytes)


def _not_zero(model):
    """Weights that are not zero, and the mult-adds that they take part in."""
    weights = mult_adds = 0
    arrays = (
        array
        for layer in model.layers
        for array in layer.get_weights()
        if array.ndim > 1
    )
    layers = (layer for layer in cost.per_layer(model) if layer.weights)
    for layer, array in zip(layers, arrays, strict=True):
        count = int(np.count_nonzero(array))
        weights += count
        # Every entry of a kernel is used at as many positions as any other.
        mult_adds += layer.mult_adds // layer.weights * count
    return weights, mult_adds


def _change(name, before, after):
    return f"{name}: {after:,} of {before:,}, {100 * after / before:.1f} %"
