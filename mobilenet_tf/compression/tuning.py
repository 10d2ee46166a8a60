"""What the steps have in common: those that change the architecture may train it."""

from __future__ import annotations

from collections.abc import Callable

import keras

from mobilenet_tf.compression import reports
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.training import classifier
from mobilenet_tf.training.recipe import Recipe


def check_data(
    data: DataSet | None, recipe: Recipe | None, optional: bool = True
) -> None:
    """Raise ValueError where there are not both data and a recipe.

    Args:
        data: A data set.
        recipe: A recipe.
        optional: Whether both may be None.
    """
    if optional and (data is None) != (recipe is None):
        raise ValueError("data and recipe must be given together, or neither")
    if optional and data is None:
        return
    for name, given, kind in (("data", data, DataSet), ("recipe", recipe, Recipe)):
        if not isinstance(given, kind):
            raise ValueError(f"{name} must be a {kind.__name__}, got {given!r}")


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
