"""Training that changes few weights, for small updates over the air.

The network in the field has values that its file codes in few bits: a codebook, or
whole multiples of a scale. Training moves all weights by a little; here most of them
go back to where they were, and the others stay on the values that their kernel has.
What `mobilenet_tf.codec.delta` then writes is small.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Unpack

import keras
import numpy as np

from mobilenet_tf import arguments
from mobilenet_tf.compression import kernels, rounding
from mobilenet_tf.compression.codebooks import nearest
from mobilenet_tf.compression.fine_tuning import (
    StockTraining,
    checked,
    copy_of,
    fine_tune,
)
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.models import graph
from mobilenet_tf.training.normalization import estimate_statistics
from mobilenet_tf.training.recipe import Recipe

PARTS = ("all", "normalization", "classifier")


def update(
    model: keras.Model,
    data: DataSet,
    recipe: Recipe | str | None = None,
    *,
    part: str = "all",
    share: float = 1.0,
    **training: Unpack[StockTraining],
) -> keras.Model:
    """Train a network again so that few of its weights change.

    Kernels of few values, as `cluster` makes them, keep to these values; kernels of
    whole multiples of a scale, as `quantize` makes them, keep their scales; zeros of
    both stay zero. Of the other kernels, weights move freely. Biases and normalisation
    that have few significant bits, as `round_vectors` makes them, keep to as many.
    Where kernels are changed so after the training, batch normalisation gets the
    statistics of the new features.

    Args:
        model: A trained classifier of stock layers. It stays as it is.
        data: What it is trained on.
        recipe: How: a name in `mobilenet_tf.training.RECIPES`, or a recipe; None means
            "compress".
        part: What is trained: "all"; "normalization", batch normalisation and biases
            alone; or "classifier", the last layer alone.
        share: The largest share of the weights in kernels that change, in (0, 1], over
            the whole network: those that the training has moved furthest, in units of
            their kernel's standard deviation. The classifier is exempt from this limit.
        **training: See `mobilenet_tf.compression.fine_tuning.StockTraining`.

    Returns:
        The network with the update.

    Raises:
        ValueError: An argument is out of its range, or the model has no such part.
        TypeError: There is no such further argument.
    """
    arguments.one_of("part", part, PARTS)
    arguments.number("share", share, lambda value: 0 < value <= 1, "in (0, 1]")
    flat, recipe = checked(update, model, data, recipe, training, optional=False)
    head = graph.head(flat)
    head_name = None if head is None else head.layer.name
    result = copy_of(flat)

    def finish(trained):
        if _restrict_kernels(flat, trained, share, head_name):
            estimate_statistics(
                trained,
                data,
                central_fraction=recipe.central_fraction,
                seed=training.get("seed", 0),
                input_range=training.get("input_range"),
            )
        if (bits := rounding.significant_bits(flat)) <= rounding.FEW:
            rounding.change_vectors(trained, lambda v: rounding.significant(v, bits))

    trainable = result.trainable_weights
    for layer in result.layers:
        _freeze(layer, part, head_name)
    if not result.trainable_weights:
        raise ValueError(f"part={part!r} has no weights in {model.name!r}")
    trained = fine_tune(
        f"update: {part}, at most {share:.1%} of the weights",
        flat,
        result,
        data,
        recipe,
        finish=finish,
        **training,
    )
    for layer in trained.layers:
        layer.trainable = True
    for weight in trainable:
        weight.trainable = True
    return trained


def _restrict_kernels(before, trained, share, head_name):
    """Change trained kernels to legal ones; whether others than the classifier's are.

    Their features are other ones than those that were normalised in the training.
    """
    old, new = kernels.by_name(before), kernels.by_name(trained)
    counted = {name: values for name, values in new.items() if name != head_name}
    changed = restrict({name: old[name] for name in counted}, counted, share)
    if head_name in new:
        changed |= restrict({head_name: old[head_name]}, {head_name: new[head_name]}, 1)
    kernels.replace(trained, changed)
    return any((changed[name] != new[name]).any() for name in counted)


def restrict(
    old: Mapping[str, np.ndarray], new: Mapping[str, np.ndarray], share: float
) -> dict[str, np.ndarray]:
    """Trained kernels of which few weights differ from the old ones.

    Args:
        old: Kernels before the training, by name.
        new: Those after it.
        share: The largest share of all weights that differ, in (0, 1].

    Returns:
        Kernels whose values are those of the old kernel where it has few, or multiples
        of its scales.
    """
    rounded = {name: _on_old_values(old[name], new[name]) for name in new}
    moves = {
        name: np.where(
            rounded[name] == old[name],
            0,
            np.abs(new[name] - old[name]) / (old[name].std() or 1.0),
        )
        for name in new
    }
    distances = np.concatenate([values.ravel() for values in moves.values()])
    budget = int(share * len(distances))
    least = 0.0
    if np.count_nonzero(distances) > budget:
        least = np.partition(distances, len(distances) - budget - 1)[-budget - 1]
    return {
        name: np.where(moves[name] > least, rounded[name], old[name]) for name in new
    }


def _on_old_values(old, new):
    """A trained kernel on the old one's values; a channel of zeros is a new one."""
    axis = old.ndim - 1 if old.shape[-1] > 1 else old.ndim - 2
    others = tuple(index for index in range(old.ndim) if index != axis)
    fresh = ~old.any(others, keepdims=True)
    kept_zero = (old == 0) & ~fresh
    if kernels.shares_values(old):
        book = np.unique(old)
        return np.where(kept_zero, old, nearest(new, book[book != 0]))
    from mobilenet_tf.codec.difference import grids

    channels = np.moveaxis(old, axis, 0).reshape(old.shape[axis], -1)
    scales = grids.find_scales(np.ascontiguousarray(channels))
    if scales is None:
        return new
    largest = np.abs(new).max(others, keepdims=True) / np.float32(grids.LARGEST)
    scales = np.where(fresh, largest, np.expand_dims(scales, others))
    scales = np.where(scales > 0, scales, 1).astype("float32")
    multiples = np.rint(new / scales).clip(-grids.LARGEST, grids.LARGEST)
    product = multiples.astype("float32") * scales + np.float32(0)  # no -0.0
    return np.where(kept_zero, old, product)


def _freeze(layer, part, head_name):
    """Freeze the weights of a layer that are no part of what is trained."""
    if part == "normalization":
        if not any(weight.ndim == 1 for weight in layer.trainable_weights):
            layer.trainable = False
        for weight in layer.trainable_weights:
            weight.trainable = weight.ndim == 1
    elif part == "classifier":
        layer.trainable = layer.name == head_name
