"""Measure a network on photographs that it was not trained on.

Photographs that the file says it was trained on are recognised by content, left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import mobilenet_tf
from mobilenet_tf.cli import datasets, networks
from mobilenet_tf.cli.flags import note, written
from mobilenet_tf.training import confusion

USAGE = "MODEL.keras --images=DIR [flags]"
ARGUMENTS = datasets.ARGUMENTS


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    networks.add_file(parser)
    datasets.add_flags(parser, split=False)
    parser.add_argument(
        "--picture", metavar="FILE", type=Path, help="confusion matrix as .png or .svg"
    )


def run(options: argparse.Namespace) -> None:
    """Evaluate, print, draw."""
    if options.picture is not None:
        confusion.check_picture(options.picture, "--picture")
    model = networks.load(options.model)
    data = datasets.load(options, model.input_shape[1], model, mode="stream")
    datasets.check_held_out(data, options)
    evaluation = mobilenet_tf.evaluate(model, data, input_range=options.input_range)
    note(f"{evaluation}")
    if options.picture is not None:
        evaluation.save_confusion_matrix(options.picture)
        written(options.picture)
