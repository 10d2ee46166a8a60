"""Killed processes in a sweep: does every network come out, and bit for bit the same?

    python -m benchmarks.faults

A grid of tiny networks is trained with Ray on this machine while SIGKILL ends its
processes at random times: one that trains, or the one that keeps the files. Then the
grid is trained once more, undisturbed. Each trial must have one record, and the weights
of both must be equal.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
import importlib
import random
import signal
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from absl import app, flags

import mobilenet_tf
from experiments.harness import Network
from experiments.sweep import cluster, session
from experiments.sweep.node import Job
from experiments.sweep.options import LOCAL, Options
from experiments.sweep.tasks import Tasks
from experiments.sweep.workdir import Workdir
from experiments.trials import records
from experiments.trials.binding import json_ready
from experiments.trials.trial import Trial
from mobilenet_tf.analysis import table
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.packages import require
from mobilenet_tf.training.recipes import RECIPES

(psutil,) = require("psutil", extra="experiments", purpose="the benchmark")
NAME = "faults"
# How a process that Ray starts calls itself.
KINDS = {"ray::run": "training", "ray::StorageActor": "keeping the files"}


def define() -> None:
    """Define the flags."""
    # It defines a flag too: tests import the drill without it.
    importlib.import_module("benchmarks.report")
    flags.DEFINE_integer("kills", 24, "Processes to kill.", 1)
    flags.DEFINE_integer("trials", 8, "Networks in the grid.", 1)
    flags.DEFINE_integer("epochs", 60, "Epochs of each.", 1)
    flags.DEFINE_integer("workers", 2, "Networks at a time.", 1)
    flags.DEFINE_integer("seed", 0, "Seed of the moments.")


def tiny(
    alpha: float = 0.25, *, classes: int = 2, base_resolution: int = 32
) -> keras.Model:
    """A MobileNet of one block, untraced: tracing would take most of the time."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.run_functions_eagerly(True)
    blocks = ((64, 2),)
    return mobilenet_tf.build(
        alpha, base_resolution=base_resolution, classes=classes, blocks=blocks
    )


def photographs() -> DataSet:
    """96 + 40 images of noise in two classes."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (136, 32, 32, 3), "uint8")
    labels = np.arange(136) % 2
    return mobilenet_tf.data.from_arrays(
        images[:96],
        labels[:96],
        (images[96:], labels[96:]),
        base_resolution=32,
        report=lambda line: None,
    )


def grid(data: DataSet, trials: int, epochs: int) -> list[Trial]:
    """So many trials, which differ in their seeds."""
    recipe = dataclasses.replace(RECIPES["short"], epochs=epochs, batch_size=48)
    metadata = json_ready(data.metadata.to_json())
    network = Network("tiny", tiny)
    return [Trial(network, recipe, metadata, seed, "float32") for seed in range(trials)]


class Killer:
    """Kills a process of Ray's after a random number of epochs and part of a second.

    Args:
        kills: How many processes to kill.
        seed: Seed of the moments and of the choice of processes.
    """

    def __init__(self, kills: int, seed: int):
        self.counts: collections.Counter[str] = collections.Counter()
        self._left, self._random = kills, random.Random(seed)
        self._epochs = threading.Semaphore(0)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Killer:
        self._thread.start()
        return self

    def __exit__(self, *error) -> None:
        self._ended.set()
        self._thread.join()

    def on_epoch(self, event: object) -> None:
        """Called after every epoch of any trial."""
        self._epochs.release()

    def _run(self):
        while self._left and not self._ended.is_set():
            for _ in range(self._random.randrange(10)):
                while not self._epochs.acquire(timeout=0.5):
                    if self._ended.is_set():
                        return
            self._ended.wait(self._random.random())
            found = processes()
            kind = "ray::StorageActor" if self._random.random() < 0.2 else "ray::run"
            if found.get(kind):
                self._random.choice(found[kind]).send_signal(signal.SIGKILL)
                self.counts[KINDS[kind]] += 1
                self._left -= 1


def processes() -> dict[str, list[psutil.Process]]:
    """The processes of this one's Ray that train or keep files, by what they are."""
    found = collections.defaultdict(list)
    for process in psutil.Process().children(recursive=True):
        try:
            name = " ".join(process.cmdline())
        except psutil.Error:  # it has just ended
            continue
        for kind in KINDS:
            if name.startswith(kind):
                found[kind].append(process)
    return found


def job(trial: Trial) -> Job:
    """What a node must know of a trial."""
    return Job(
        trial,
        NAME,
        {"commit": None},
        data_parallel=False,
        again=False,
        versions=cluster.expected_versions(),
    )


def train(
    trials: list[Trial],
    data: DataSet,
    folder: Path,
    needs: session.Needs,
    report: Callable[[object], None] = lambda event: None,
) -> None:
    """Train a grid on the cluster of this process.

    Raises:
        AssertionError: A trial has not one record, or files are left over.
    """
    tasks = Tasks(trials, data, str(folder), needs, job)
    done = [trial.key for trial, _ in tasks.finished(report, print)]
    assert sorted(done) == sorted(trial.key for trial in trials)
    assert len(records.read(folder / "records")) == len(trials)
    workdir = Workdir(folder)
    left = {path.name for path in (folder / "trials").iterdir()}
    assert left == {workdir.model_path(trial).name for trial in trials}


def weights(trials: list[Trial], folder: Path) -> list[np.ndarray]:
    """All weights of a grid that is trained."""
    models = map(Workdir(folder).model, trials)
    return [weight for model in models for weight in model.get_weights()]


def drill(kills: int, trials: int, epochs: int, workers: int, seed: int) -> dict:
    """Train a grid with and without kills; returns the counts.

    Raises:
        AssertionError: The weights differ, or the grid ended before the last kill.
    """
    data = photographs()
    planned = grid(data, trials, epochs)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        options = Options(LOCAL, workers)
        with session.connected(options, folder, 2**20, ()) as needs:
            run = functools.partial(train, planned, data, needs=needs)
            with Killer(kills, seed) as killer:
                run(folder / "disturbed", report=killer.on_epoch)
            run(folder / "whole")
        disturbed, whole = (
            weights(planned, folder / name) for name in ("disturbed", "whole")
        )
    assert sum(killer.counts.values()) == kills, dict(killer.counts)
    pairs = list(zip(disturbed, whole, strict=True))
    assert all(np.array_equal(first, second) for first, second in pairs)
    return {**killer.counts, "weights": sum(weight.size for weight in whole)}


def main(_) -> None:
    """Run the drill and print its counts."""
    from benchmarks.report import publish

    values = flags.FLAGS
    names = ("kills", "trials", "epochs", "workers", "seed")
    counts = drill(*(getattr(values, name) for name in names))
    weights = counts.pop("weights")
    rows = [(kind, f"{number:,}") for kind, number in sorted(counts.items())]
    rows.append(("in all", f"{sum(counts.values()):,}"))
    publish(
        NAME,
        f"{table.render(('killed while', 'SIGKILLs'), rows)}\n\n"
        f"{values.trials} trials of {values.epochs} epochs, {values.workers} at a "
        f"time: each has one record, and all {weights:,} weights equal those of an "
        "undisturbed run bit for bit.",
        values.documents,
    )


if __name__ == "__main__":
    define()
    app.run(main)
