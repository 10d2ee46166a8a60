"""Training a classifier on labels."""

from __future__ import annotations

import dataclasses
import os
import types
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import keras
import numpy as np

from mobilenet_tf import arguments
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.models import graph, merged
from mobilenet_tf.training import (
    checks,
    distribution,
    linear_probe,
    loop,
    recipes,
    run_folder,
)
from mobilenet_tf.training.callbacks import AcrossStages, Display, Validation
from mobilenet_tf.training.clone import training_clone
from mobilenet_tf.training.normalization import recalibrate_batch_norm
from mobilenet_tf.training.precision import choose
from mobilenet_tf.training.recipe import Recipe


def fit(
    model: keras.Model,
    data: DataSet,
    recipe: Recipe | str = "fine_tune",
    *,
    epochs: int | None = None,
    seed: int = 0,
    workdir: str | os.PathLike | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    precision: str = "float32",
    input_range: tuple[float, float] | None = None,
    report: Callable[[str], None] | None = print,
    settings: str = "",
    snapshot_path: str | os.PathLike | None = None,
    on_epoch: Callable[[loop.Progress], None] = lambda progress: None,
) -> loop.Progress:
    """Train a model in place.

    With `workdir` a training that was killed goes on where it was when the same call is
    repeated, and ends with the same weights as one that was not.

    Args:
        model: A classifier. For multi-label images it gives logits of both signs, or
            ends in a sigmoid.
        data: The data set; its number of classes is the model's.
        recipe: How to train: a name in `mobilenet_tf.training.RECIPES`, or a recipe.
            "fine_tune" is for trained weights, "modern" for fresh ones.
        epochs: Passes over the training images; None means those of the recipe.
        seed: Seed of batch order, augmentation and dropout. The same seed gives the
            same weights if the model was built after `keras.utils.set_random_seed`.
        workdir: Folder for the state after each epoch, `snapshot.npz`, and in the end
            the model, `model.keras`. It is made where it does not exist.
        callbacks: Keras callbacks, such as `keras.callbacks.CSVLogger` (with
            `append=True` where the training may be resumed) and `TensorBoard`. The logs
            are "loss" and "top1", and with `report` "val_loss" and "val_top1" too. They
            see the copy of the model that is trained, which has faster layers. The
            recipe sets the learning rate; callbacks cannot.
        precision: "auto" or one of `mobilenet_tf.training.precision.PRECISIONS`.
        input_range: The model's inputs for black and for white; None reads them from
            its layers, see `mobilenet_tf.models.graph.input_range`.
        report: Called with a line after each epoch, for which the validation images are
            evaluated too; None trains in silence, without validation.
        settings: Text that stands for all else that the result depends on; a snapshot
            of other settings is rejected.
        snapshot_path: `.npz` file that holds the state after each epoch, in place of
            `workdir`.
        on_epoch: Called after each epoch, when its snapshot is on disk.

    Returns:
        Epochs, seconds and history. With several labels the accuracy in it is the
        share of attributes that are right.

    Raises:
        ValueError: An argument is out of its range, or the model does not fit the
            data set; or the folder holds another training.
    """
    recipe = recipes.named(recipe, epochs)
    precision = choose(precision)
    checks.kinds(data, recipe, model=model)
    checks.shape(model)
    checks.classes(model, data, multi_label=data.multi_label)
    checks.held_out(model, data)
    flat = graph.flatten(model)
    checks.activation(flat, data.multi_label)
    input_range = checks.input_range(flat, input_range)
    task = Classifier(
        model, data.side, recipe, precision, seed, data.multi_label, input_range
    )
    task.observers = _observers(data, recipe, callbacks, report)
    if workdir is not None:
        if snapshot_path is not None:
            raise ValueError("snapshot_path must be None where workdir is given")
        snapshot_path = run_folder.prepare(workdir)
        settings += run_folder.identity(flat, precision, input_range)
    exists = snapshot_path is not None and Path(snapshot_path).exists()
    if distribution.of_first(([], {}) if exists else None) is None:
        if merged.is_merged(flat):
            recalibrate_batch_norm(model, data, seed=seed, input_range=input_range)
        if recipe.fit_classifier_first:
            linear_probe.fit_classifier(model, data, recipe, input_range, seed)
    elif report is not None:
        report(f"resuming from {snapshot_path}")
    progress = loop.run(
        task,
        data,
        recipe,
        seed=seed,
        settings=settings,
        snapshot_path=snapshot_path,
        on_epoch=on_epoch,
    )
    run_folder.note_training(model, data)
    if workdir is not None and distribution.processes().index == 0:
        run_folder.save(model, workdir)
    return progress


def _observers(
    data: DataSet,
    recipe: Recipe,
    callbacks: Sequence[keras.callbacks.Callback],
    report: Callable[[str], None] | None,
) -> list[keras.callbacks.Callback]:
    """Validation, which the others are told of, the user's callbacks, the display."""
    for callback in arguments.sequence("callbacks", callbacks):
        arguments.instance("callbacks", callback, keras.callbacks.Callback)
    users: list[keras.callbacks.Callback] = [AcrossStages(callbacks)]
    if report is None:
        return users
    arguments.function("report", report)
    validation = Validation(data, recipe.central_fraction)
    return [validation, *users, Display(recipe.epochs, report)]


@dataclasses.dataclass
class Classifier:
    """A `TrainingTask`: the model's training clone with the recipe's loss.

    Args:
        model: The classifier; `finish` sets its weights.
        source: Side in pixels of the stored images.
        recipe: How to train.
        precision: "auto" or one of `mobilenet_tf.training.precision.PRECISIONS`.
        seed: Seed of dropout.
        multi_label: Whether each output is an attribute of its own.
        input_range: The model's inputs for black and for white; None reads them from
            its layers.
        observers: Callbacks that see each epoch before its state is saved.
    """

    model: keras.Model
    source: int
    recipe: Recipe
    precision: str = "float32"
    seed: int | None = None
    multi_label: bool = False
    input_range: tuple[float, float] | None = None
    observers: Sequence[keras.callbacks.Callback] = ()

    def compiled(self, side: int | None, steps_per_epoch: int) -> keras.Model:
        clone = self.clone(side)
        compile_for_training(
            clone, self.recipe, steps_per_epoch, multi_label=self.multi_label
        )
        return clone

    def clone(self, side: int | None) -> keras.Model:
        return training_clone(
            self.model,
            self.source,
            side,
            precision=self.precision,
            l2=self.recipe.l2,
            bn_momentum=self.recipe.bn_momentum,
            seed=self.seed,
            input_range=self.input_range,
            crop_numbers=self.recipe.augmentation.numbers,
        )

    def batches(self, batches: Iterator, first_epoch: int) -> Iterator:
        return batches

    def callbacks(self, on_epoch_end: Callable[[int, dict], None]) -> list:
        keeper = keras.callbacks.LambdaCallback(on_epoch_end=on_epoch_end)
        return [*self.observers, keeper]

    def finish(self, trained: keras.Model) -> None:
        for observer in self.observers:
            if isinstance(observer, AcrossStages):
                observer.finish()
        set_flat_weights(self.model, trained.get_weights())


def set_flat_weights(model: keras.Model, weights: list[np.ndarray]) -> None:
    """Set the weights of a model, models inside it included, from its flat clone's."""
    flat = graph.flatten(model)
    flat.set_weights(weights)
    if flat is not model:
        graph.copy_weights(flat, model)


def compile_for_training(
    clone: keras.Model,
    recipe: Recipe,
    steps_per_epoch: int,
    framework: types.ModuleType = keras,
    multi_label: bool = False,
) -> None:
    """Compile a training clone with the recipe's optimizer and loss, and build both.

    Args:
        clone: Takes `(images, boxes)`, gives logits.
        recipe: How to train.
        steps_per_epoch: Batches in an epoch.
        framework: `keras`, or `tf_keras` for a clone that is made of it.
        multi_label: Whether each output is an attribute of its own.
    """
    optimizer = recipe.build_optimizer(steps_per_epoch, framework)
    losses, metrics = framework.losses, framework.metrics
    if multi_label:
        loss = losses.BinaryCrossentropy
        accuracy = metrics.BinaryAccuracy("top1", threshold=0.0)  # of logits
    else:
        loss = losses.CategoricalCrossentropy
        accuracy = metrics.CategoricalAccuracy("top1")
    loss = loss(from_logits=True, label_smoothing=recipe.label_smoothing)
    clone.compile(optimizer, loss=loss, metrics=[accuracy])
    optimizer.build(clone.trainable_variables)
