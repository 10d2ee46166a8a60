"""Several networks at a time: what a sweep takes beside its training.

    python -m benchmarks.sweep

A grid of small networks is trained in this process, with Ray one at a time, and with
Ray as many at a time as there are cores. Wall-clock time is compared with the training
time that the records give, spread over the networks at a time; starting Ray and
TensorFlow, building, evaluating and saving are the difference.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from absl import app, flags

import mobilenet_tf
from benchmarks import faults
from benchmarks.report import publish
from experiments.harness import Network
from experiments.sweep import grid, session
from experiments.sweep.options import LOCAL, Options
from experiments.sweep.workdir import Workdir
from experiments.trials import records
from experiments.trials.binding import json_ready
from experiments.trials.trial import Trial
from mobilenet_tf.analysis import table
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.processor import usable_cores
from mobilenet_tf.training.recipes import RECIPES

NAME = "sweep"


def define() -> None:
    """Define the flags."""
    flags.DEFINE_integer("trials", 16, "Networks in the grid.", 1)
    flags.DEFINE_integer("epochs", 28, "Epochs of each.", 1)
    flags.DEFINE_integer("images", 640, "Training images, a quarter more in all.", 96)
    flags.DEFINE_integer("side", 96, "Input side in pixels.", 32)
    flags.DEFINE_float("alpha", 0.25, "Width multiplier.")


def photographs(images: int, side: int) -> DataSet:
    """Images of noise in ten classes, and a quarter as many to evaluate."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (images * 5 // 4, side, side, 3), "uint8")
    labels = np.arange(len(pixels)) % 10
    return mobilenet_tf.data.from_arrays(
        pixels[:images],
        labels[:images],
        (pixels[images:], labels[images:]),
        base_resolution=side,
        report=lambda line: None,
    )


def measure(trials: list[Trial], data: DataSet, workers: int | None) -> list[float]:
    """Wall-clock seconds of a grid, and its training seconds by the records.

    Args:
        trials: The grid.
        data: Its data set.
        workers: Trials at a time with Ray; None trains in this process.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started = time.perf_counter()
        if workers is None:
            workdir = Workdir(folder)
            grid.run(trials, data, workdir, NAME, report=lambda event: None)
        else:
            size = data.train.contents.images.nbytes * 2
            with session.connected(Options(LOCAL, workers), folder, size, ()) as needs:
                faults.train(trials, data, folder, needs)
        wall = time.perf_counter() - started
        trained = records.read(folder / "records")
        return [wall, sum(record["seconds"] for record in trained)]


def main(_) -> None:
    """Measure the forms one after the other, and print them."""
    values = flags.FLAGS
    data = photographs(values.images, values.side)
    recipe = dataclasses.replace(
        RECIPES["short"], epochs=values.epochs, batch_size=min(64, values.images)
    )
    network = Network("network", mobilenet_tf.build, {"alpha": values.alpha})
    metadata = json_ready(data.metadata.to_json())
    trials = [
        Trial(network, recipe, metadata, seed, "float32")
        for seed in range(values.trials)
    ]
    cores = usable_cores()
    forms = {"in this process": None, "Ray, 1 at a time": 1}
    forms[f"Ray, {cores} at a time"] = cores
    rows, walls, loads = [], {}, [os.getloadavg()[0]]
    for form, workers in forms.items():
        wall, training = measure(trials, data, workers)
        slots = workers or 1
        walls[slots] = wall
        loads.append(os.getloadavg()[0])
        rows.append(
            (
                form,
                f"{wall:.0f}",
                f"{training / slots:.0f}",
                f"{wall * slots / training:.2f}",
            )
        )
    columns = ("trained", "wall-clock s", "training s / at a time", "ratio")
    publish(
        NAME,
        f"{table.render(columns, rows)}\n\n"
        f"{values.trials} MobileNets {values.alpha:g} at {values.side} px, "
        f"{values.epochs} epochs of {values.images} images. Ray with {cores} at a time "
        f"takes {walls[1] / walls[cores]:.2f} times less time than with 1, which has "
        f"all cores. Load of the machine, which should be {cores} or less: from "
        f"{min(loads):.1f} to {max(loads):.1f}.",
        values.documents,
    )


if __name__ == "__main__":
    define()
    app.run(main)
