"""Training a classifier on labels, and its accuracy on a split."""

from __future__ import annotations

import dataclasses
import os
import types
from collections.abc import Callable

import keras

from mobilenet_tf import arguments
from mobilenet_tf.data.batches import evaluation_batches, own_errors
from mobilenet_tf.data.dataset import DataSet, Split
from mobilenet_tf.training import attributes, checks, loop
from mobilenet_tf.training.clone import training_clone
from mobilenet_tf.training.precision import choose
from mobilenet_tf.training.recipe import Recipe

EVALUATION_BATCH = 256


def fit(
    model: keras.Model,
    data: DataSet,
    recipe: Recipe,
    *,
    seed: int = 0,
    precision: str = "float32",
    task: str = "",
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
        task: What the result depends on beside all this.
        snapshot_path: `.npz` file that holds the state after each epoch.
        on_epoch: Called after each epoch, when its snapshot is on disk.

    Returns:
        Epochs, seconds and history. With several labels the accuracy in it is the
        share of attributes that are right.

    Raises:
        ValueError: An argument is not what it must be, or the model does not fit the
            data set.
    """
    precision = choose(precision)
    checks.kinds(data, recipe, model=model)
    checks.shape(model)
    checks.classes(model, data, multi_label=data.multi_label)
    checks.activation(model, data.multi_label)
    return loop.run(
        Classifier(model, data.side, recipe, precision, seed, data.multi_label),
        data,
        recipe,
        seed=seed,
        task=task,
        snapshot_path=snapshot_path,
        on_epoch=on_epoch,
    )


@dataclasses.dataclass
class Classifier:
    """A `Trainee`: the model's training clone with the recipe's loss.

    Args:
        model: What gets the weights in the end.
        source: Side in pixels of the stored images.
        recipe: How to train.
        precision: "auto" or one of `mobilenet_tf.training.precision.PRECISIONS`.
        seed: Seed of dropout.
        multi_label: Whether each output is an attribute of its own.
    """

    model: keras.Model
    source: int
    recipe: Recipe
    precision: str = "float32"
    seed: int | None = None
    multi_label: bool = False

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
        )

    def callbacks(self, on_epoch_end: Callable[[int, dict], None]) -> list:
        return [keras.callbacks.LambdaCallback(on_epoch_end=on_epoch_end)]

    def finish(self, trained: keras.Model) -> None:
        self.model.set_weights(trained.get_weights())


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


def evaluate(
    model: keras.Model,
    split: Split,
    source: int,
    central_fraction: float = 0.875,
    multi_label: bool = False,
) -> dict[str, float]:
    """Accuracy and cross-entropy on a whole split.

    One central crop, its height and width `central_fraction` of the image's, scaled to
    the model's input whatever the aspect ratio, as TF-Slim evaluates.

    Args:
        model: A classifier with probabilities or logits as output.
        split: Evaluated in order, to the last image.
        source: Side in pixels of the split's images.
        central_fraction: In (0, 1].
        multi_label: Whether each output is an attribute of its own.

    Returns:
        `{"top1", "top5", "loss"}`, accuracies as fractions; with attributes
        `{"mean_ap", "loss"}`, see `mobilenet_tf.training.attributes`.

    Raises:
        ValueError: The labels or the model's outputs are not as `multi_label` says, or
            there are no labels; or `central_fraction` is out of its range.
    """
    arguments.number(
        "central_fraction", central_fraction, lambda value: 0 < value <= 1, "in (0, 1]"
    )
    checks.activation(model, multi_label)
    clone = training_clone(model, source)
    classes = model.output_shape[-1]
    batches = evaluation_batches(
        split, classes, EVALUATION_BATCH, central_fraction, multi_label
    )
    if multi_label:
        return attributes.measured(clone, batches)
    clone.compile(
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=[
            keras.metrics.CategoricalAccuracy(name="top1"),
            keras.metrics.TopKCategoricalAccuracy(min(5, classes), name="top5"),
        ],
    )
    steps = -(-split.size // EVALUATION_BATCH)
    with own_errors(batches) as batches:
        result = clone.evaluate(batches, steps=steps, verbose=0, return_dict=True)
    return {name: float(result[name]) for name in ("top1", "top5", "loss")}
