"""Training a classifier on labels."""

from __future__ import annotations

import dataclasses
import os
import types
from collections.abc import Callable

import keras
import numpy as np

from mobilenet_tf import processor
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.models import graph, merged
from mobilenet_tf.training import checks, loop
from mobilenet_tf.training.clone import training_clone
from mobilenet_tf.training.normalization import recalibrate_batch_norm
from mobilenet_tf.training.precision import choose
from mobilenet_tf.training.recipe import Recipe


def fit(
    model: keras.Model,
    data: DataSet,
    recipe: Recipe,
    *,
    seed: int = 0,
    precision: str = "float32",
    settings: str = "",
    input_range: tuple[float, float] | None = None,
    snapshot_path: str | os.PathLike | None = None,
    on_epoch: Callable[[loop.Progress], None] = lambda progress: None,
) -> loop.Progress:
    """Train a model in place; see `mobilenet_tf.training.loop.run`.

    Args:
        model: A classifier built after `keras.utils.set_random_seed(seed)`. Where an
            image has any number of labels it gives logits of both signs, or ends in a
            sigmoid.
        data: The data set; its number of classes is the model's.
        recipe: How to train.
        seed: Seed of batch order, augmentation and dropout.
        precision: "auto" or one of `mobilenet_tf.training.precision.PRECISIONS`.
        settings: Text that stands for all else that the result depends on; a snapshot
            of other settings is rejected.
        input_range: The model's inputs for black and for white; None reads them from
            its layers, see `mobilenet_tf.models.graph.input_range`.
        snapshot_path: `.npz` file that holds the state after each epoch.
        on_epoch: Called after each epoch, when its snapshot is on disk.

    Returns:
        Epochs, seconds and history. With several labels the accuracy in it is the
        share of attributes that are right.

    Raises:
        ValueError: An argument is out of its range, or the model does not fit the
            data set.
    """
    precision = choose(precision)
    checks.kinds(data, recipe, model=model)
    checks.shape(model)
    checks.classes(model, data, multi_label=data.multi_label)
    flat = graph.flatten(model)
    checks.activation(flat, data.multi_label)
    input_range = checks.input_range(flat, input_range)
    processor.warn_of_slow_kernels()
    if merged.is_merged(flat):
        recalibrate_batch_norm(model, data, seed=seed, input_range=input_range)
    return loop.run(
        Classifier(
            model, data.side, recipe, precision, seed, data.multi_label, input_range
        ),
        data,
        recipe,
        seed=seed,
        settings=settings,
        snapshot_path=snapshot_path,
        on_epoch=on_epoch,
    )


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
    """

    model: keras.Model
    source: int
    recipe: Recipe
    precision: str = "float32"
    seed: int | None = None
    multi_label: bool = False
    input_range: tuple[float, float] | None = None

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
        )

    def callbacks(self, on_epoch_end: Callable[[int, dict], None]) -> list:
        return [keras.callbacks.LambdaCallback(on_epoch_end=on_epoch_end)]

    def finish(self, trained: keras.Model) -> None:
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
