"""The data set of a command: a folder of photographs, or one of TFDS."""

from __future__ import annotations

import argparse
import warnings
from typing import Any

import keras

from mobilenet_tf.cli.flags import note
from mobilenet_tf.data import DataSet, from_folder, from_tfds
from mobilenet_tf.models import keras_file

ARGUMENTS = {"path": "--images", "name": "--dataset"}


def add_folder(parser: argparse.ArgumentParser, help_text: str) -> None:
    """Add the flags that name a folder of photographs."""
    parser.add_argument("--images", metavar="DIR", help=help_text)
    add_skip_unreadable(parser)


def add_skip_unreadable(parser: argparse.ArgumentParser) -> None:
    """Add the flag that leaves out files that cannot be read."""
    parser.add_argument(
        "--skip_unreadable",
        action="store_true",
        help="leave out files that cannot be read",
    )


def add_flags(parser: argparse.ArgumentParser, split: bool) -> None:
    """Add the flags that name the data set.

    Args:
        parser: Of the command.
        split: Whether a folder may be split anew, for training.
    """
    add_folder(parser, "photographs, in a folder for each class")
    parser.add_argument(
        "--dataset", metavar="NAME", help="TFDS data set, in place of --images"
    )
    parser.add_argument("--data_dir", metavar="DIR", help="folder of TFDS data sets")
    if split:
        parser.add_argument(
            "--validation",
            type=float,
            default=0.1,
            metavar="SHARE",
            help="share of each class that is held out, default 0.1",
        )


def load(
    options: argparse.Namespace,
    base_resolution: int,
    model: keras.Model | None = None,
    mode: str = "auto",
    continue_from: keras.Model | None = None,
) -> DataSet:
    """The data set that the flags describe.

    Args:
        options: The parsed flags.
        base_resolution: Side in pixels of the network's input.
        model: A trained network; its training photographs are the training split, and
            all others the validation split.
        mode: See `mobilenet_tf.data.from_folder`.
        continue_from: See `mobilenet_tf.data.from_folder`.

    Raises:
        ValueError: As `from_folder` and `from_tfds`.
    """
    dataset = getattr(options, "dataset", None)
    if (options.images is None) == (dataset is None):
        raise ValueError("either --images or --dataset must be given")
    shared: dict[str, Any] = {
        "base_resolution": base_resolution,
        "mode": mode,
        "report": note,
    }
    if dataset is not None:
        return from_tfds(dataset, options.data_dir, **shared)
    if getattr(options, "data_dir", None) is not None:
        raise ValueError("--data_dir is not used where --images is given")
    info = None if model is None else keras_file.training_info(model)
    splits = "validation" in options
    knows_photographs = bool(keras_file.train_digests(model))
    if model is not None and not knows_photographs:
        warnings.warn(
            f"{options.model} does not say which photographs it was trained on, so "
            "validation photographs may be among them",
            stacklevel=2,
        )
    data = from_folder(
        options.images,
        options.validation if splits else 0.1,
        skip_unreadable=options.skip_unreadable,
        # Where its training photographs are not known, they are chosen anew.
        model=None if splits and not knows_photographs else model,
        continue_from=continue_from,
        **shared,
    )
    if info is not None and data.class_names != info.class_names:
        raise ValueError(
            f"the folders in --images must be the classes of the network, "
            f"{', '.join(info.class_names)}; got {', '.join(data.class_names)}"
        )
    return data


def check_held_out(data: DataSet, options: argparse.Namespace) -> None:
    """Raise ValueError unless there are images that the network was not trained on."""
    if not data.evaluation.size:
        raise ValueError(
            f"--images must hold photographs that {str(options.model)!r} was not "
            f"trained on, but it was trained on all {data.train.size:,}"
        )
