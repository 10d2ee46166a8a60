"""The outputs of a teacher for every crop of a training, computed once and kept.

Crops follow from the seed and the epoch, so that the outputs for them can be kept: one
pass of the teacher serves all students that see these crops. Beyer et al., "Knowledge
distillation: a good teacher is patient and consistent", arXiv 2106.05237, is what such
outputs are for: the teacher judges the very crop that its student sees, for very long.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np

from mobilenet_tf import files
from mobilenet_tf.data.batches import TrainingBatch, training_batches
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.files import archive
from mobilenet_tf.training import snapshot
from mobilenet_tf.training.clone import training_clone
from mobilenet_tf.training.recipe import Recipe

# Stored images, crops and the teacher's logits, and the targets.
StudentBatch = tuple[tuple[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


class TeacherOutputs:
    """A folder of the teacher's logits, one `.npz` file for each epoch.

    Args:
        folder: Holds the outputs of any teachers; it is made where it does not exist.
        teacher: The trained classifier.
        data: The training images.
        recipe: Says what crops are like, and how many are in a batch.
        seed: Seed of order and crops.
        precision: That the teacher computes in.
        input_range: The teacher's inputs for black and for white.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        teacher: keras.Model,
        data: DataSet,
        recipe: Recipe,
        seed: int,
        precision: str,
        input_range: tuple[float, float],
    ):
        self._teacher, self._data, self._recipe = teacher, data, recipe
        self._seed, self._precision, self._range = seed, precision, input_range
        augmentation = vars(recipe.augmentation)
        depends_on = [
            *(snapshot.checksum(teacher), data.metadata.to_json(), augmentation),
            *(recipe.batch_size, seed, precision, input_range),
        ]
        text = json.dumps(depends_on, sort_keys=True)
        self.folder = Path(folder) / hashlib.sha256(text.encode()).hexdigest()[:16]

    def prepare(self, epochs: int, report: Callable[[str], None] | None = None) -> None:
        """Compute what is missing of the first `epochs`.

        An interruption loses at most the epoch that is being computed.

        Args:
            epochs: How many are needed.
            report: Called with a line before each epoch that is computed.
        """
        missing = [epoch for epoch in range(epochs) if not self._path(epoch).exists()]
        if not missing:
            return
        files.make_folder(self.folder)
        clone = training_clone(
            self._teacher,
            self._data.side,
            precision=self._precision,
            input_range=self._range,
            crop_numbers=self._recipe.augmentation.numbers,
        )
        for epoch in missing:
            if report is not None:
                report(f"outputs of the teacher: epoch {epoch + 1}/{epochs}")
            logits = {
                f"step{step:05d}": keras.ops.convert_to_numpy(
                    clone.predict_on_batch(list(inputs))
                ).astype("float32")
                for step, (inputs, _) in enumerate(self._epoch(epoch))
            }
            archive.save_arrays(self._path(epoch), logits, {"epoch": epoch})

    def attached(
        self, batches: Iterator[TrainingBatch], first_epoch: int
    ) -> Iterator[StudentBatch]:
        """The same batches, each with the logits of its images.

        Args:
            batches: Of `training_batches`, from the start of `first_epoch`.
            first_epoch: From 0.

        Raises:
            ValueError: A file is damaged.
        """
        epoch = first_epoch
        while True:
            for logits in read(self._path(epoch)):
                (images, crops), targets = next(batches)
                yield (images, crops, logits), targets
            epoch += 1

    def _epoch(self, number):
        batch_size = self._recipe.batch_of(self._data.train.size)
        batches = training_batches(
            self._data.train,
            self._data.classes,
            batch_size,
            self._seed,
            number,
            self._recipe.augmentation,
            stratified=self._recipe.stratified,
        )
        return (next(batches) for _ in range(self._data.train.size // batch_size))

    def _path(self, epoch):
        return self.folder / f"epoch{epoch:04d}.npz"


def read(path: Path) -> Iterator[np.ndarray]:
    """Logits `(batch, classes)` of each step of an epoch; one at a time is in memory.

    Args:
        path: A file of `TeacherOutputs`.

    Raises:
        ValueError: The file is damaged.
    """
    try:
        yield from archive.iterate_arrays(path)
    except ValueError as error:
        raise ValueError(
            f"teacher's outputs {str(path)!r} are damaged ({error}); delete the file "
            "to compute them again"
        ) from error
