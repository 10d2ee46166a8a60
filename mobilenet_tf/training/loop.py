"""The one training loop: Keras `fit`, stage by stage, resumable after every epoch."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import keras

from mobilenet_tf import arguments
from mobilenet_tf.data.batches import own_errors, training_batches
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.training import snapshot
from mobilenet_tf.training.recipe import Recipe


class Trainee(Protocol):
    """What the loop trains: a network, and what it learns from.

    Attributes:
        model: The network; it gets the weights in the end.
    """

    model: keras.Model

    def compiled(self, side: int | None, steps_per_epoch: int) -> keras.Model:
        """A network ready to `fit` on `((images, boxes), targets)`.

        Its optimizer is built too. It may be of tf_keras.

        Args:
            side: Side in pixels that crops are scaled to; None means the network's own.
            steps_per_epoch: Batches in an epoch, for the schedule.
        """

    def callbacks(self, on_epoch_end: Callable[[int, dict], None]) -> list:
        """Keras callbacks, among them one that calls the given function."""

    def finish(self, trained: keras.Model) -> None:
        """Take the weights from a trained network that `compiled` gave."""


@dataclasses.dataclass
class Progress:
    """How far a training is; it is saved with every snapshot.

    Attributes:
        epoch: Epochs finished.
        seconds: Wall-clock time spent on them, compilation included.
        history: Training loss and accuracy of every epoch.
        begun: What the training began with, as a hash.
    """

    epoch: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = dataclasses.field(default_factory=list)
    begun: str = ""


def run(
    trainee: Trainee,
    data: DataSet,
    recipe: Recipe,
    *,
    seed: int = 0,
    task: str = "",
    snapshot_path: str | os.PathLike | None = None,
    on_epoch: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Train to the end of the recipe.

    Same arguments, same weights, on one kind of machine; also when the process was
    killed in between and the call repeated with the same `snapshot_path`.

    Args:
        trainee: What is trained.
        data: The data set.
        recipe: How to train.
        seed: Seed of batch order and augmentation.
        task: What the result depends on beside recipe, data set and seed.
        snapshot_path: `.npz` file that holds the state after each epoch.
        on_epoch: Called after each epoch, when its snapshot is on disk.

    Returns:
        Epochs, seconds and history.

    Raises:
        ValueError: `snapshot_path` is in no folder, or of another training.
    """
    arguments.function("on_epoch", on_epoch)
    begun = _fingerprint(recipe, data, seed, task)
    batch_size = min(recipe.batch_size, data.train.size)
    steps_per_epoch = data.train.size // batch_size
    progress, values = Progress(begun=begun), None
    if snapshot_path is not None:
        snapshot_path = Path(snapshot_path)
        if not snapshot_path.parent.is_dir():
            raise ValueError(
                f"snapshot_path must be in a folder, got {str(snapshot_path)!r}"
            )
        if found := snapshot.load(snapshot_path):
            values, progress = found[0], Progress(**found[1])
        if progress.begun != begun:
            raise ValueError(
                f"snapshot {str(snapshot_path)!r} is of another training; delete it, "
                "or name another snapshot_path"
            )
    trained = None
    for end, stage_side in _stages(trainee.model, recipe):
        if progress.epoch >= end:
            continue
        started = time.perf_counter()
        trained = trainee.compiled(stage_side, steps_per_epoch)
        if values is not None:
            snapshot.restore(trained, values)
        keeper = _Keeper(trained, progress, snapshot_path, on_epoch, started)
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
            trained.fit(
                batches,
                steps_per_epoch=steps_per_epoch,
                initial_epoch=progress.epoch,
                epochs=end,
                callbacks=trainee.callbacks(keeper.on_epoch_end),
                shuffle=False,
                verbose=0,
            )
        values = snapshot.capture(trained)
    if trained is None and values is not None:  # the snapshot was of the last epoch
        trained = trainee.compiled(None, steps_per_epoch)
        snapshot.restore(trained, values)
    trainee.finish(trained)
    return progress


def _fingerprint(recipe, data, seed, task):
    text = json.dumps([recipe.facts, data.facts, seed, task], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _stages(model, recipe):
    """The recipe's, or only one where the network can take no other side."""
    side = model.input_shape[1]
    for layer in model.layers:
        if isinstance(layer, keras.layers.Flatten) and len(layer.input.shape) > 2:
            return [(recipe.epochs, side)]
    return recipe.stages(side)


class _Keeper:
    """After every epoch: update the progress, save the snapshot, report."""

    def __init__(self, trained, progress, path, on_epoch, started):
        self.trained, self.progress = trained, progress
        self.path, self.on_epoch, self.last = path, on_epoch, started

    def on_epoch_end(self, epoch, logs):
        now = time.perf_counter()
        progress = self.progress
        progress.epoch = epoch + 1
        progress.seconds += now - self.last
        progress.history.append({"loss": logs["loss"], "top1": logs["top1"]})
        self.last = now
        if self.path is not None:
            values = snapshot.capture(self.trained)
            snapshot.save(self.path, values, dataclasses.asdict(progress))
        self.on_epoch(progress)
