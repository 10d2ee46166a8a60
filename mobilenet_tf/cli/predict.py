"""Name the classes of photographs.

Prints for each photograph the most probable classes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import mobilenet_tf
from mobilenet_tf import files
from mobilenet_tf.cli import datasets, networks
from mobilenet_tf.cli.flags import note
from mobilenet_tf.data.photographs import image_files, readable

USAGE = "MODEL.keras PHOTOGRAPH ..."
ARGUMENTS: dict[str, str] = {"class_names": "--labels"}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    networks.add_file(parser)
    parser.add_argument(
        "photographs",
        metavar="PHOTOGRAPH",
        nargs="+",
        type=Path,
        help="image file, or a folder of them",
    )
    parser.add_argument(
        "--labels",
        metavar="FILE",
        type=Path,
        help="a class name in each line; default: the model's own",
    )
    datasets.add_skip_unreadable(parser)


def run(options: argparse.Namespace) -> None:
    """Print a line for each photograph."""
    model = networks.load(options.model)
    names = None
    if options.labels is not None:
        names = files.read_lines(options.labels)
    photographs: list[Path] = []
    for path in options.photographs:
        photographs += image_files(path) if path.is_dir() else [path]
    photographs = readable(photographs, options.skip_unreadable)
    if not photographs:
        raise ValueError("there are no photographs in the folders given")
    predictions = mobilenet_tf.predict(
        model, photographs, class_names=names, input_range=options.input_range
    )
    width = max(len(str(file)) for file in photographs)
    for file, prediction in zip(photographs, predictions, strict=True):
        note(f"{file!s:{width}}  {prediction}")
