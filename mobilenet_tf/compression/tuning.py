"""What the steps have in common: checks; those of the architecture train it here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import keras
import numpy as np

from mobilenet_tf import arguments
from mobilenet_tf.compression import reports
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.training import checks, classifier, snapshot
from mobilenet_tf.training.recipe import Recipe

KEYWORDS = ("seed", "snapshot_path", "on_epoch")


def check(
    step: str,
    model: keras.Model,
    data: DataSet | None,
    recipe: Recipe | None,
    further: Mapping[str, object],
    *,
    optional: bool = False,
    keywords: Collection[str] = KEYWORDS,
) -> None:
    """Raise for what a step is given and cannot use.

    Args:
        step: Its name.
        model: What it was given.
        data: What it was given.
        recipe: What it was given.
        further: Other arguments that it was given, by their keywords.
        optional: Whether data and recipe may both be None.
        keywords: Those that other arguments may have, beside `report`.

    Raises:
        ValueError: An argument is not what it must be, or the model does not fit the
            data set.
        TypeError: There is no argument of such a keyword.
    """
    for name in further:
        if name not in (*keywords, "report"):
            raise TypeError(
                f"{step}() got an unexpected keyword argument {name!r}; those about "
                f"the training are {', '.join((*keywords, 'report'))}"
            )
    if optional and (data is None) != (recipe is None):
        raise ValueError("data and recipe must be given together, or neither")
    if not optional or data is not None:
        checks.kinds(data, recipe)
    arguments.instance("model", model, keras.Model)
    arguments.function("report", further.get("report", print))
    if data is not None:
        checks.shape(model)
        checks.classes(model, data)
        checks.activation(model, multi_label=False)
        _check_trainable(model)


def check_tuned(
    step: str,
    model: keras.Model,
    data: DataSet | None,
    recipe: Recipe | None,
    further: Mapping[str, object],
) -> None:
    """`check` for what `tune` trains."""
    keywords = (*KEYWORDS, "precision")
    check(step, model, data, recipe, further, optional=True, keywords=keywords)


def _check_trainable(model):
    frozen = [layer.name for layer in model.layers if not layer.trainable]
    if frozen:
        raise ValueError(
            f"model must be trainable, but its layer {frozen[0]!r} is frozen; all are "
            "trained, so set model.trainable = True"
        )


def check_finite(weights: Mapping[str, Sequence[np.ndarray]], recipe: Recipe) -> None:
    """Raise ValueError where a training has ended in weights that are not finite.

    Args:
        weights: By the names of layers.
        recipe: How they were trained.
    """
    for name, arrays in weights.items():
        if not all(np.isfinite(array).all() for array in arrays):
            raise ValueError(
                f"weights of {name!r} are not finite after the training; recipe must "
                f"have a lower learning_rate than {recipe.learning_rate}"
            )


def task(title: str, model: keras.Model, **settings) -> str:
    """What the result of a step depends on, beside data and recipe."""
    return f"{title}, {settings} of weights {snapshot.checksum(model)}"


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
        # First, so that images which cannot be evaluated are found before the training.
        before = reports.accuracy(model, data, recipe)
        begun = task(title, model, left_out=left_out)
        classifier.fit(result, data, recipe, task=begun, **training)
        check_finite({one.name: one.get_weights() for one in result.layers}, recipe)
        top1 = before, reports.accuracy(result, data, recipe)
    report(reports.make(title, model, result, left_out, top1))
    return result
