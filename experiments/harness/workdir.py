"""Where points keep what they have trained, and the locks between processes."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from pathlib import Path

import keras

from experiments.trials.trial import Point
from mobilenet_tf.training import snapshot


class Workdir:
    """Where points keep their snapshots, models and records.

    Raises:
        ValueError: The directory cannot be written.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        try:
            for name in ("points", "records"):
                (self.path / name).mkdir(parents=True, exist_ok=True)
            probe = self.path / f".writable-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise ValueError(
                f"workdir must be a directory that can be written, got {str(path)!r} "
                f"({error.strerror})"
            ) from error

    def record_path(self, point: Point) -> Path:
        return self.path / "records" / f"{point.key}.json"

    def snapshot_path(self, point: Point) -> Path:
        return self.path / "points" / f"{point.key}.snapshot.npz"

    def model_path(self, point: Point) -> Path:
        return self.path / "points" / f"{point.key}.keras"

    def done(self, point: Point) -> bool:
        return self.record_path(point).exists()

    def usable(self, point: Point) -> bool:
        """Whether a point is done, and what it trained still there for others."""
        return self.done(point) and self.model_path(point).exists()

    def model(self, point: Point) -> keras.Model:
        """The trained network of a point that is done."""
        return keras.models.load_model(self.model_path(point), compile=False)

    def epochs_done(self, point: Point) -> int:
        if self.usable(point):
            return point.training_recipe.epochs
        facts = snapshot.facts(self.snapshot_path(point))
        return facts["epoch"] if facts else 0

    @contextmanager
    def lock(self, point: Point):
        """True in one process at a time; the system frees it when that one dies."""
        with (self.path / "points" / f"{point.key}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
