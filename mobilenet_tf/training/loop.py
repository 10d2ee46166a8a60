"""The training loop: Keras `fit`, stage by stage, resumable after every epoch."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import keras

from mobilenet_tf import arguments, processor
from mobilenet_tf.data.batches import training_batches
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.training import averaging, depthwise, distribution, snapshot
from mobilenet_tf.training.feed import feed
from mobilenet_tf.training.recipe import Recipe

_LOGGED = ("loss", "top1", "val_loss", "val_top1")


class TrainingTask(Protocol):
    """A network to train, with its loss, as the loop needs them.

    Attributes:
        model: The network; `finish` sets its weights.
    """

    model: keras.Model

    def compiled(self, side: int | None, steps_per_epoch: int) -> keras.Model:
        """A network ready to `fit` on `((images, boxes), targets)`.

        Its optimizer is built too. It may be of tf_keras.

        Args:
            side: Side in pixels that crops are scaled to; None means the network's own.
            steps_per_epoch: Batches in an epoch, for the schedule.
        """

    def batches(self, batches: Iterator, first_epoch: int) -> Iterator:
        """Batches of `training_batches` from an epoch on, as the network takes them."""

    def callbacks(self, on_epoch_end: Callable[[int, dict], None]) -> list:
        """Keras callbacks, including one that calls `on_epoch_end`."""

    def finish(self, trained: keras.Model) -> None:
        """Copy the weights of a trained network, one of `compiled`, to the model."""


@dataclasses.dataclass
class Progress:
    """Epochs, time and history of a training; saved with every snapshot.

    Attributes:
        epoch: Epochs finished.
        seconds: Wall-clock time spent on them, compilation included.
        history: Training loss and accuracy of every epoch: "loss" and "top1", and
            "val_loss" and "val_top1" where the training validates.
        fingerprint: Hash of all that the result depends on.
        stopped: Whether a callback has ended the training early.
    """

    epoch: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = dataclasses.field(default_factory=list)
    fingerprint: str = ""
    stopped: bool = False


def run(
    task: TrainingTask,
    data: DataSet,
    recipe: Recipe,
    *,
    seed: int = 0,
    settings: str = "",
    snapshot_path: str | os.PathLike | None = None,
    on_epoch: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Train to the end of the recipe.

    The weights follow from the arguments, on the same kind of machine; also when the
    process was killed and the call is repeated with the same `snapshot_path`. Of
    several processes that train together the first one reads and writes snapshots.

    Args:
        task: The network to train, with its loss.
        data: The data set.
        recipe: How to train.
        seed: Seed of batch order and augmentation.
        settings: Text that stands for all else that the result depends on; a snapshot
            of other settings is rejected.
        snapshot_path: `.npz` file that holds the state after each epoch.
        on_epoch: Called after each epoch, when its snapshot is on disk.

    Returns:
        Epochs, seconds and history.

    Raises:
        ValueError: The folder of `snapshot_path` does not exist, the snapshot is of
            another training, or several devices or processes cannot train so.
    """
    arguments.function("on_epoch", on_epoch)
    processor.warn_of_slow_kernels()
    fingerprint = _fingerprint(recipe, data, seed, settings)
    batch_size = recipe.batch_of(data.train.size)
    distribution.check(recipe, batch_size)
    steps_per_epoch = data.train.size // batch_size
    progress, values = Progress(fingerprint=fingerprint), None
    if snapshot_path is not None:
        snapshot_path = Path(snapshot_path)
        if not snapshot_path.parent.is_dir():
            raise ValueError(
                "snapshot_path must be in an existing folder, got "
                f"{str(snapshot_path)!r}"
            )
        share = distribution.processes()
        saved = None if share.index else snapshot.load(snapshot_path)
        if saved := distribution.of_first(saved):
            values, metadata = saved
            if metadata.get("fingerprint") == fingerprint:
                progress = Progress(**metadata)
            else:
                raise ValueError(
                    f"snapshot {str(snapshot_path)!r} is of another training; delete "
                    "it, or name another snapshot_path"
                )
    if values is None and recipe.depthwise_norm:
        depthwise.scale_filters(task.model, recipe.depthwise_norm)
    trained = None
    for end, stage_side in stages(task.model, recipe):
        if progress.epoch >= end or progress.stopped:
            continue
        started = time.perf_counter()
        trained = task.compiled(stage_side, steps_per_epoch)
        if values is not None:
            snapshot.restore(trained, values)
        keeper = _Keeper(trained, progress, snapshot_path, on_epoch, started)
        with feed(_batches(task, data, recipe, seed, progress.epoch)) as batches:
            trained.fit(
                batches,
                steps_per_epoch=steps_per_epoch,
                initial_epoch=progress.epoch,
                epochs=end,
                callbacks=task.callbacks(keeper.on_epoch_end),
                shuffle=False,
                verbose=0,
            )
        values = snapshot.capture(trained)
    if trained is None and values is not None:  # the snapshot was of the last epoch
        trained = task.compiled(None, steps_per_epoch)
        snapshot.restore(trained, values)
    if recipe.ema_momentum and trained is not None:
        batches = _batches(task, data, recipe, seed, recipe.epochs - 1)
        averaging.use_average(trained, batches)
    task.finish(trained)
    return progress


def stages(model: keras.Model, recipe: Recipe) -> list[tuple[int, int]]:
    """The recipe's stages, or a single one for a network of a fixed input side.

    Args:
        model: The network.
        recipe: How to train.

    Returns:
        `(last epoch + 1, input side in pixels)` of each.
    """
    side = model.input_shape[1]
    for layer in model.layers:
        if isinstance(layer, keras.layers.Flatten) and len(layer.input.shape) > 2:
            return [(recipe.epochs, side)]
    return recipe.stages(side)


def _batches(task, data, recipe, seed, first_epoch):
    """Endless batches as the task's network takes them."""
    batches = training_batches(
        data.train,
        data.classes,
        recipe.batch_of(data.train.size),
        seed,
        first_epoch,
        recipe.augmentation,
        distribution.processes(),
        recipe.stratified,
    )
    return task.batches(batches, first_epoch)


def _fingerprint(recipe, data, seed, settings):
    parts = [recipe.to_json(), data.metadata.to_json(), seed, settings]
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


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
        progress.history.append({name: logs[name] for name in _LOGGED if name in logs})
        progress.stopped = bool(getattr(self.trained, "stop_training", False))
        self.last = now
        if self.path is not None and distribution.processes().index == 0:
            values = snapshot.capture(self.trained)
            snapshot.save(self.path, values, dataclasses.asdict(progress))
        self.on_epoch(progress)
