"""The one training loop: Keras `fit`, stage by stage, resumable after every epoch."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import keras

from mobilenet_tf import arguments
from mobilenet_tf.data.batches import (
    evaluation_batches,
    own_errors,
    training_batches,
)
from mobilenet_tf.data.dataset import DataSet, Split
from mobilenet_tf.training import snapshot
from mobilenet_tf.training.clone import PRECISIONS, training_clone
from mobilenet_tf.training.recipe import Recipe

EVALUATION_BATCH = 256


@dataclasses.dataclass
class Progress:
    """How far a training is; it is saved with every snapshot.

    Attributes:
        epoch: Epochs finished.
        seconds: Wall-clock time spent on them, compilation included.
        history: Training loss and accuracy of every epoch.
    """

    epoch: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = dataclasses.field(default_factory=list)


def fit(
    model: keras.Model,
    data: DataSet,
    recipe: Recipe,
    *,
    seed: int = 0,
    precision: str = "float32",
    snapshot_path: Path | None = None,
    on_epoch: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Train a model in place.

    Same arguments, same weights, on one kind of machine; also when the process was
    killed in between and the call repeated with the same `snapshot_path`.

    Args:
        model: A classifier built after `keras.utils.set_random_seed(seed)`.
        data: The data set; its number of classes is the model's.
        recipe: How to train.
        seed: Seed of batch order, augmentation and dropout.
        precision: See `mobilenet_tf.training.clone.training_clone`.
        snapshot_path: `.npz` file that holds the state after each epoch.
        on_epoch: Called after each epoch, when its snapshot is on disk.

    Returns:
        Epochs, seconds and history.
    """
    arguments.one_of("precision", precision, PRECISIONS)
    if model.output_shape[-1] != data.classes:
        raise ValueError(
            f"model has {model.output_shape[-1]} classes, the data set {data.classes}"
        )
    batch_size = min(recipe.batch_size, data.train.size)
    steps_per_epoch = data.train.size // batch_size
    progress, values = Progress(), None
    if snapshot_path is not None and (found := snapshot.load(snapshot_path)):
        values, progress = found[0], Progress(**found[1])

    def compiled(side):
        clone = training_clone(
            model,
            data.side,
            side,
            precision=precision,
            l2=recipe.l2,
            bn_momentum=recipe.bn_momentum,
            seed=seed,
        )
        compile_for_training(clone, recipe, steps_per_epoch)
        return clone

    clone = None
    for end, side in recipe.stages(model.input_shape[1]):
        if progress.epoch >= end:
            continue
        started = time.perf_counter()
        clone = compiled(side)
        if values is not None:
            snapshot.restore(clone, values)
        keeper = _Keeper(progress, snapshot_path, on_epoch, started)
        batches = training_batches(
            data.train,
            data.classes,
            batch_size,
            seed,
            progress.epoch,
            min_area=recipe.min_area,
            flip=recipe.flip,
        )
        with own_errors(batches) as batches:
            clone.fit(
                batches,
                steps_per_epoch=steps_per_epoch,
                initial_epoch=progress.epoch,
                epochs=end,
                callbacks=[keeper],
                shuffle=False,
                verbose=0,
            )
        values = snapshot.capture(clone)
    if clone is None:  # the snapshot was of the last epoch
        clone = compiled(None)
        snapshot.restore(clone, values)
    model.set_weights(clone.get_weights())
    return progress


def compile_for_training(
    clone: keras.Model, recipe: Recipe, steps_per_epoch: int
) -> None:
    """Compile a training clone with the recipe's optimizer and loss, and build both."""
    optimizer = recipe.build_optimizer(steps_per_epoch)
    clone.compile(
        optimizer,
        loss=keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=recipe.label_smoothing
        ),
        metrics=[keras.metrics.CategoricalAccuracy(name="top1")],
    )
    optimizer.build(clone.trainable_variables)


def evaluate(
    model: keras.Model, split: Split, source: int, central_fraction: float = 0.875
) -> dict[str, float]:
    """Top-1 and top-5 accuracy and cross-entropy on a whole split.

    One central crop, its height and width `central_fraction` of the image's, scaled to
    the model's input whatever the aspect ratio, as TF-Slim evaluates.

    Args:
        model: A classifier with probabilities or logits as output.
        split: Evaluated in order, to the last image.
        source: Side in pixels of the split's images.
        central_fraction: In (0, 1].

    Returns:
        `{"top1", "top5", "loss"}`, accuracies as fractions.
    """
    clone = training_clone(model, source)
    classes = model.output_shape[-1]
    clone.compile(
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=[
            keras.metrics.CategoricalAccuracy(name="top1"),
            keras.metrics.TopKCategoricalAccuracy(min(5, classes), name="top5"),
        ],
    )
    batches = evaluation_batches(split, classes, EVALUATION_BATCH, central_fraction)
    steps = -(-split.size // EVALUATION_BATCH)
    with own_errors(batches) as batches:
        result = clone.evaluate(batches, steps=steps, verbose=0, return_dict=True)
    return {name: float(result[name]) for name in ("top1", "top5", "loss")}


class _Keeper(keras.callbacks.Callback):
    """After every epoch: update the progress, save the snapshot, report."""

    def __init__(self, progress, path, on_epoch, started):
        super().__init__()
        self.progress, self.path, self.on_epoch = progress, path, on_epoch
        self.last = started

    def on_epoch_end(self, epoch, logs=None):
        now = time.perf_counter()
        progress = self.progress
        progress.epoch = epoch + 1
        progress.seconds += now - self.last
        progress.history.append({"loss": logs["loss"], "top1": logs["top1"]})
        self.last = now
        if self.path is not None:
            values = snapshot.capture(self.model)
            snapshot.save(self.path, values, dataclasses.asdict(progress))
        self.on_epoch(progress)
