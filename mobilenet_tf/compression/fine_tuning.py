"""Fine-tuning that the steps of compression share: arguments, checks, training.

`remove_channels`, `low_rank` and `update` train stock Keras layers; `prune`, `cluster`
and `quantize` train layers that the Model Optimization Toolkit has wrapped.
"""

from __future__ import annotations

import os
import types
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypedDict

import keras
import numpy as np

from mobilenet_tf import arguments
from mobilenet_tf.compression import reports
from mobilenet_tf.compression.wrapping import Wrapping
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.models import architecture, graph, keras_file, merged
from mobilenet_tf.training import checks, classifier, loop, recipes, snapshot
from mobilenet_tf.training.normalization import recalibrate_batch_norm
from mobilenet_tf.training.recipe import Recipe


class Training(TypedDict, total=False):
    """Keyword arguments of every step, beside its own.

    Attributes:
        seed: Seed of batch order, augmentation and dropout; 0 by default.
        input_range: The model's inputs for black and for white; needed only where its
            layers do not determine them, see `mobilenet_tf.models.graph.input_range`.
        snapshot_path: `.npz` file that holds the state after each epoch. The same call
            with the same file resumes after a kill.
        on_epoch: Called after each epoch, when its snapshot is on disk.
        report: Called with the step's `Report`; prints it by default.
    """

    seed: int
    input_range: tuple[float, float] | None
    snapshot_path: str | os.PathLike | None
    on_epoch: Callable[[loop.Progress], None]
    report: Callable[[reports.Report], None]


class StockTraining(Training, total=False):
    """Keyword arguments of the steps that train stock Keras layers.

    Attributes:
        precision: See `mobilenet_tf.training.clone.training_clone`.
    """

    precision: str


def checked(
    step: Callable,
    model: keras.Model,
    data: DataSet | None,
    recipe: Recipe | str | None,
    training: Mapping[str, Any],
    *,
    optional: bool,
) -> tuple[keras.Model, Recipe | None]:
    """Check the arguments that all steps share; gives flat model and recipe.

    Where batch normalisation is merged into the convolutions, the form that is given
    has the statistics of the data: training would destroy the network otherwise.

    Args:
        step: The step, for messages.
        model: A classifier; models inside it are flattened.
        data: The step's data set.
        recipe: The step's recipe or its name; None means `compress`.
        training: Further keyword arguments of the step.
        optional: Whether data may be None, which means no training.

    Returns:
        The model, flat, and the recipe; None without data.

    Raises:
        ValueError: An argument is out of its range, or the model does not fit the data
            set.
        TypeError: The step has no such keyword argument.
    """
    stock = step.__name__ in ("remove_channels", "low_rank", "update")
    legal = (StockTraining if stock else Training).__annotations__
    arguments.keywords(step.__name__, training, legal)
    if optional and data is None:
        if recipe is not None:
            raise ValueError("data must be given where a recipe is")
    else:
        arguments.instance("data", data, DataSet)
        recipe = recipes.named("compress" if recipe is None else recipe)
        if not stock:
            _check_toolkit_recipe(recipe)
    arguments.instance("model", model, keras.Model)
    arguments.function("report", training.get("report", print))
    flat = graph.flatten(model)
    if data is not None:
        checks.shape(flat)
        checks.classes(flat, data)
        checks.activation(flat, multi_label=False)
        checks.input_range(flat, training.get("input_range"))
        _check_trainable(flat)
    architecture.describe(flat)  # raises for layers that no step can handle
    if data is not None and merged.is_merged(flat):
        flat = copy_of(flat)
        recalibrate_batch_norm(
            flat,
            data,
            seed=training.get("seed", 0),
            input_range=training.get("input_range"),
        )
    keras_file.set_training_info(flat, keras_file.training_info(model))
    return flat, recipe


def _check_toolkit_recipe(recipe):
    """The toolkit's networks take plain crops, and keep no average of their weights."""
    for name in ("mixup", "cutmix", "ema_momentum"):
        if value := getattr(recipe, name):
            raise ValueError(
                f"recipe.{name} must be 0 in prune, cluster and quantize, got {value}"
            )


def _check_trainable(model):
    frozen = [layer.name for layer in model.layers if not layer.trainable]
    if frozen:
        raise ValueError(
            f"model must be trainable, but its layer {frozen[0]!r} is frozen; all are "
            "trained, so set model.trainable = True"
        )


def toolkit() -> types.ModuleType:
    """The bridge to the Model Optimization Toolkit, `mobilenet_tf.compression.tfmot`.

    Raises:
        ImportError: The toolkit or tf_keras is not installed.
    """
    from mobilenet_tf.compression import tfmot

    return tfmot


def copy_of(model: keras.Model) -> keras.Model:
    """A copy of a flat network with equal weights."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def fine_tune(
    title: str,
    model: keras.Model,
    result: keras.Model,
    data: DataSet | None,
    recipe: Recipe | None,
    *,
    left_out: Sequence[str] = (),
    wrapping: Wrapping | None = None,
    notes: Collection[str] = (),
    finish: Callable[[keras.Model], None] = lambda result: None,
    report: Callable[[reports.Report], None] = print,
    **training: Any,
) -> keras.Model:
    """Train the result of a step, where there is data, and report.

    Args:
        title: The step and its settings, for the report.
        model: The network before the step; it stays as it is.
        result: The network after the step, which is trained in place.
        data: The data set to train on; None means no training.
        recipe: How to train.
        left_out: Names of kernels that the step leaves out. They are trained too;
            those of their weights that are zero stay zero.
        wrapping: How the toolkit wraps the layers; None trains stock Keras layers.
        notes: Sentences for the end of the report.
        finish: Called with the trained result; may change its weights.
        report: Called with the step's `Report`.
        **training: See `Training` and `StockTraining`.

    Returns:
        The result.

    Raises:
        ValueError: The toolkit cannot train a layer, which is checked before any work;
            or the weights are not finite after the training.
    """
    top1 = None
    if data is not None and recipe is not None:
        input_range = checks.input_range(model, training.pop("input_range", None))
        task = None
        if wrapping is not None:
            task = toolkit().Toolkit(
                result, data.side, recipe, wrapping, input_range, left_out
            )
            keras.utils.set_random_seed(training.get("seed", 0))
            task.check(data.train.size // recipe.batch_of(data.train.size))
        # Before the training, so that images which cannot be evaluated fail early.
        before = reports.accuracy(model, data, recipe, input_range)
        training["settings"] = (
            f"{title}, {wrapping}, left out {list(left_out)}, input {input_range}, of "
            f"weights {snapshot.checksum(model)}"
        )
        if task is None:
            classifier.fit(
                result,
                data,
                recipe,
                input_range=input_range,
                report=None,
                **training,
            )
        else:
            loop.run(task, data, recipe, **training)
        _check_finite(result, recipe)
        finish(result)
        top1 = before, reports.accuracy(result, data, recipe, input_range)
    keras_file.set_training_info(result, keras_file.training_info(model))
    report(reports.make(title, model, result, left_out, top1, notes))
    return result


def _check_finite(model, recipe):
    for layer in model.layers:
        if not all(np.isfinite(array).all() for array in layer.get_weights()):
            raise ValueError(
                f"weights of {layer.name!r} are not finite after the training; recipe "
                f"must have a lower learning_rate than {recipe.learning_rate}"
            )
