"""A point: one network, recipe, data set and seed, trained once."""

from __future__ import annotations

import dataclasses
import fcntl
import functools
import hashlib
import json
import os
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import keras

from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.reporting import records
from mobilenet_tf.reporting.rows import Network
from mobilenet_tf.training import classifier, distribution, loop, snapshot
from mobilenet_tf.training.recipe import Recipe


@dataclasses.dataclass(frozen=True)
class Point:
    """What determines a trained model; equal points are trained once.

    Args:
        network: What is trained.
        recipe: How.
        data_facts: On what: `DataSet.facts`.
        seed: Seed of initialisation, order and augmentation.
        precision: See `mobilenet_tf.training.clone.training_clone`.
    """

    network: Network
    recipe: Recipe
    data_facts: dict
    seed: int
    precision: str

    @property
    def identity(self) -> dict:
        return {
            "network": self.network.identity,
            "recipe": self.recipe.facts,
            "data": self.data_facts,
            "seed": self.seed,
            "precision": self.precision,
        }

    @functools.cached_property
    def key(self) -> str:
        """Name of the point's files: readable, and unique by a hash of its identity."""
        text = json.dumps(self.identity, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:10]
        data = self.data_facts["name"].replace("/", "_")
        names = (self.network.slug, data, self.recipe.name, f"seed{self.seed}", digest)
        return "-".join(names)

    def build(self) -> keras.Model:
        """The network for this data set, freshly initialised from the seed."""
        keras.utils.set_random_seed(self.seed)
        return self.network.model(*self._size, pretrained=True)

    @property
    def costs(self) -> dict:
        """Mult-adds, parameters and input side of the network that is trained."""
        return self.network.costs(*self._size)

    @property
    def _size(self):
        facts = self.data_facts
        return len(facts["class_names"]), facts["base_resolution"]

    @property
    def work_per_epoch(self) -> float:
        """About proportional to the seconds that an epoch takes on a CPU.

        Depthwise convolutions and normalisation move memory rather than multiply:
        1,200 mult-adds per input pixel stand for them (fitted to measured speeds).
        """
        steps = self.recipe.side_steps
        scale = sum(step**2 for step in steps) / len(steps)
        per_image = self.costs["mult_adds"] + 1200 * self.costs["side"] ** 2
        return scale * per_image * self.data_facts["train_size"]


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

    def epochs_done(self, point: Point) -> int:
        if self.done(point):
            return point.recipe.epochs
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


def train(
    point: Point,
    data: DataSet,
    workdir: Workdir,
    experiment: str,
    on_epoch: Callable[[loop.Progress], None],
    data_parallel: bool = False,
) -> dict:
    """Train a point, going on from its snapshot, and write its model and record."""
    keras.utils.clear_session()  # frees what the point before it left
    provenance = records.provenance()  # now: the files may change while it trains
    with distribution.scope(data_parallel):
        model = point.build()
        progress = classifier.fit(
            model,
            data,
            point.recipe,
            seed=point.seed,
            precision=point.precision,
            snapshot_path=workdir.snapshot_path(point),
            on_epoch=on_epoch,
        )
    metrics = classifier.evaluate(
        model, data.evaluation, data.side, point.recipe.central_fraction
    )
    partial = workdir.model_path(point).with_suffix(".partial.keras")
    model.save(partial)
    os.replace(partial, workdir.model_path(point))
    record = {
        "key": point.key,
        "experiment": experiment,
        "label": point.network.label,
        **point.identity,
        "metrics": metrics,
        "cost": point.costs,
        "seconds": round(progress.seconds, 1),
        "history": progress.history,
        **provenance,
    }
    records.write(workdir.record_path(point), record)
    workdir.snapshot_path(point).unlink(missing_ok=True)
    return record
