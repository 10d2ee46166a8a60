"""What steps that change the architecture have in common: they may train afterwards."""

from __future__ import annotations

from collections.abc import Callable

import keras

from mobilenet_tf.compression import reports
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.training import classifier
from mobilenet_tf.training.recipe import Recipe


def check_together(data: DataSet | None, recipe: Recipe | None) -> None:
    """Raise ValueError where data comes without a recipe, or a recipe without data."""
    if (data is None) != (recipe is None):
        raise ValueError("data and recipe must be given together, or neither")


def tune(
    title: str,
    model: keras.Model,
    result: keras.Model,
    data: DataSet | None,
    recipe: Recipe | None,
    left_out: list[str],
    report: Callable[[reports.Report], None],
    **training,
) -> keras.Model:
    """Train what a step made of a model, where there is data; report, and return it."""
    top1 = None
    if data is not None:
        classifier.check_classes(model, data)
        classifier.fit(result, data, recipe, **training)
        top1 = reports.accuracies(model, result, data, recipe)
    report(reports.make(title, model, result, left_out, top1))
    return result
