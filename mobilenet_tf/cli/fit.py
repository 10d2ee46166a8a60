"""Train a network on photographs, from published weights or your own.

The folder `--output` gets the model, its history and its evaluation. The same command
goes on where a killed one has stopped.
"""

from __future__ import annotations

import argparse
import csv
import io
from pathlib import Path

import keras

import mobilenet_tf
from mobilenet_tf import files
from mobilenet_tf.analysis import cost
from mobilenet_tf.cli import datasets, networks
from mobilenet_tf.cli.flags import note, written
from mobilenet_tf.models import mobilenet
from mobilenet_tf.packages import require
from mobilenet_tf.training import RECIPES, precision, snapshot
from mobilenet_tf.training.loop import Progress

USAGE = "[MODEL.keras] --images=DIR --output=DIR [flags]"
ARGUMENTS = datasets.ARGUMENTS | {"workdir": "--output", "snapshot_path": "--output"}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    networks.add_file(parser, required=False)
    datasets.add_flags(parser, split=True)
    parser.add_argument(
        "--output",
        metavar="DIR",
        type=Path,
        required=True,
        help="folder of the results",
    )
    networks.add_build_flags(parser, classes=False)
    group = parser.add_argument_group("training")
    group.add_argument(
        "--recipe",
        choices=RECIPES,
        metavar="NAME",
        help=f"{', '.join(RECIPES)}; default: fine_tune, or modern without weights",
    )
    group.add_argument("--epochs", type=int, help="default: the recipe's")
    group.add_argument("--seed", type=int, default=0, help="default: 0")
    group.add_argument(
        "--precision",
        choices=precision.CHOICES,
        default="float32",
        metavar="NAME",
        help=f"{', '.join(precision.CHOICES)}",
    )
    group.add_argument(
        "--tensorboard", action="store_true", help="write logs for TensorBoard too"
    )


def run(options: argparse.Namespace) -> None:
    """Train, evaluate, and say what comes next."""
    output = options.output
    if output.is_file():
        raise ValueError(f"--output must be a folder, got the file {str(output)!r}")
    model = None if options.model is None else networks.from_flags(options)
    data = datasets.load(options, _side(options, model), continue_from=model)
    if model is None:
        model = networks.from_flags(options, data.classes, options.seed)
    trained = options.model is not None or options.weights is not None
    recipe = options.recipe or ("fine_tune" if trained else "modern")
    note(
        f"model: {model.name}, {model.count_params():,} parameters, "
        f"{cost.mult_adds(model):,} mult-adds; recipe {recipe}"
    )
    callbacks = []
    if options.tensorboard:
        require(
            "tensorboard", purpose="--tensorboard", command="pip install tensorboard"
        )
        callbacks.append(keras.callbacks.TensorBoard(output / "tensorboard"))
    mobilenet_tf.fit(
        model,
        data,
        recipe,
        epochs=options.epochs,
        seed=options.seed,
        precision=options.precision,
        input_range=options.input_range,
        settings=f"weights {snapshot.checksum(model)}",
        workdir=output,
        callbacks=callbacks,
        report=note,
        on_epoch=lambda progress: _write_history(output / "history.csv", progress),
    )
    evaluation = mobilenet_tf.evaluate(model, data, input_range=options.input_range)
    note(f"\nvalidation: {evaluation}\n")
    files = [output / "model.keras", output / "history.csv"]
    if evaluation.confusion is not None:
        files.append(output / "confusion_matrix.png")
        evaluation.save_confusion_matrix(files[-1])
    written(*files)
    if options.images is not None:
        skip = " --skip_unreadable" if options.skip_unreadable else ""
        note(
            f"next: mobilenet_tf export {output / 'model.keras'} --format=litert_int8 "
            f"--images={options.images}{skip}"
        )


def _side(options: argparse.Namespace, model: keras.Model | None) -> int:
    """Side in pixels of the input of the network."""
    if model is not None:
        return model.input_shape[1]
    if options.network == "squeezenet":
        return 224
    if options.alpha is not None:
        mobilenet.check_alpha(options.alpha)  # before photographs are read
    return mobilenet.input_side(
        1.0 if options.rho is None else options.rho,
        224 if options.base_resolution is None else options.base_resolution,
    )


def _write_history(path: Path, progress: Progress) -> None:
    """Loss and accuracy of every epoch as CSV; the file appears by rename."""
    text = io.StringIO()
    writer = csv.DictWriter(text, ("epoch", *progress.history[0]))
    writer.writeheader()
    for epoch, logs in enumerate(progress.history, 1):
        writer.writerow({"epoch": epoch, **logs})
    files.write(path, text.getvalue())
