"""The working directory: models and records of trials, and its lock."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras

from experiments.sweep import storage
from experiments.trials.trial import Trial
from mobilenet_tf import files
from mobilenet_tf.models import keras_file
from mobilenet_tf.training import snapshot

# What killed runs leave, also those of earlier versions.
_LEFTOVERS = (
    "trials/*.partial*",
    "records/*.partial*",
    "teacher_outputs/*/*.partial",
    ".writable-*",
)


class Workdir:
    """The directory of snapshots, models and records.

    Raises:
        ValueError: The directory cannot be written.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        try:
            for name in ("trials", "records"):
                files.make_folder(self.path / name)
            for pattern in _LEFTOVERS:
                files.remove_unowned(self.path.glob(pattern))
            self._remove_needless_snapshots()
            with tempfile.TemporaryFile(dir=self.path):  # leaves nothing when killed
                pass
        except OSError as error:
            raise ValueError(
                f"workdir must be a directory that can be written, got {str(path)!r} "
                f"({error.strerror})"
            ) from error

    def _remove_needless_snapshots(self):
        """Of trials whose process was killed after it had written model and record."""
        for snapshot_file in self.path.glob(storage.snapshot_name("*")):
            key = snapshot_file.name.removesuffix(Path(storage.snapshot_name("")).name)
            names = storage.record_name(key), storage.model_name(key)
            if all((self.path / name).exists() for name in names):
                snapshot_file.unlink(missing_ok=True)

    def record_path(self, trial: Trial) -> Path:
        """The trial's record, which is written last."""
        return self.path / storage.record_name(trial.key)

    def snapshot_path(self, trial: Trial) -> Path:
        """The state of a training that is not finished."""
        return self.path / storage.snapshot_name(trial.key)

    def model_path(self, trial: Trial) -> Path:
        """The trained model."""
        return self.path / storage.model_name(trial.key)

    def done(self, trial: Trial) -> bool:
        """Whether a trial has a record."""
        return self.record_path(trial).exists()

    def usable(self, trial: Trial) -> bool:
        """Whether a trial is done, and its model is still there for other trials."""
        return self.done(trial) and self.model_path(trial).exists()

    def model(self, trial: Trial) -> keras.Model:
        """The trained model of a trial that is done."""
        path = self.model_path(trial)
        try:
            return keras_file.load_model(path)
        except ValueError as error:
            raise ValueError(f"{error}; delete it, it is trained again") from error

    def epochs_done(self, trial: Trial) -> int:
        """Epochs that a trial has finished, in its last snapshot or altogether."""
        if self.usable(trial):
            return trial.training_recipe.epochs
        metadata = snapshot.load_metadata(self.snapshot_path(trial))
        return metadata["epoch"] if metadata else 0

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other commands from the directory; the system ends it with the process.

        Raises:
            BlockingIOError: Another command uses it.
        """
        message = (
            "workdir must be used by one command at a time, but another one trains in "
            f"{str(self.path)!r}; wait for it, or name another directory"
        )
        with files.locked(self.path / "lock", message):
            yield
