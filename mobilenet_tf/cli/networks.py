"""The network of a command: from a file, or built as the flags say."""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import keras

import mobilenet_tf
from mobilenet_tf.cli.flags import numbers, ratio
from mobilenet_tf.models import hub_files

FILE = "MODEL.keras"
_BUILD_FLAGS = (
    *("network", "alpha", "rho", "base_resolution", "squeezenet_version"),
    *("classes", "include_top", "weights"),
)


def add_file(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """Add the argument that names a file of a trained network."""
    parser.add_argument(
        "model",
        metavar=FILE,
        nargs=None if required else "?",
        type=file_or_hub_name,
        help="file of a trained network: .keras, .mntc of `encode`, or hf://USER/NAME",
    )
    parser.add_argument(
        "--input_range",
        metavar="BLACK,WHITE",
        type=numbers,
        help="the network's inputs for both, where its layers do not tell",
    )


def file_or_hub_name(text: str) -> Path | str:
    """A file's path, or a name on the Hugging Face Hub."""
    return text if hub_files.is_hub_name(text) else Path(text)


def add_build_flags(parser: argparse.ArgumentParser, classes: bool) -> None:
    """Add the flags that describe a network to build.

    Args:
        parser: Of the command.
        classes: Whether the number of classes is a flag too.
    """
    group = parser.add_argument_group("network, where no file is given")
    names = ("mobilenet", "squeezenet")
    group.add_argument("--network", choices=names, help="default: mobilenet")
    group.add_argument("--alpha", type=ratio, help="width multiplier, default 1")
    group.add_argument("--rho", type=ratio, help="resolution multiplier, default 1")
    group.add_argument("--base_resolution", type=int, help="side at rho 1, default 224")
    group.add_argument("--squeezenet_version", help="1.0 (default) or 1.1")
    group.add_argument("--weights", help="imagenet, or a file")
    if classes:
        group.add_argument("--classes", type=int, help="default: 1000")
        group.add_argument(
            "--include_top",
            action=argparse.BooleanOptionalAction,
            help="classes rather than features",
        )


def load(source: Path | str) -> keras.Model:
    """Read a network from a file or from the Hugging Face Hub.

    Raises:
        ValueError: There is no such file, or it holds no network.
    """
    try:
        if isinstance(source, Path) and source.suffix == ".mntc":
            from mobilenet_tf import codec

            return codec.load(source)
        return mobilenet_tf.load_model(source)
    except (OSError, ValueError) as error:
        raise ValueError(str(error).replace("path must", f"{FILE} must", 1)) from error


def from_flags(
    options: argparse.Namespace, classes: int | None = None, seed: int = 0
) -> keras.Model:
    """The network that the flags describe: from its file, or built.

    Args:
        options: The parsed flags.
        classes: Number of classes of a network that is built; None means what the flags
            say. The classifier of a weights file with another number is left out.
        seed: Seed of the initial weights.

    Raises:
        ValueError: Flags contradict each other, or one is illegal.
    """
    given = [name for name in _BUILD_FLAGS if getattr(options, name, None) is not None]
    if options.model is not None:
        if given:
            raise ValueError(f"--{given[0]} is not used where {FILE} is given")
        return load(options.model)
    squeezenet = options.network == "squeezenet"
    other = (
        ("alpha", "rho", "base_resolution") if squeezenet else ("squeezenet_version",)
    )
    for name in other:
        if name in given:
            raise ValueError(
                f"--network={options.network or 'mobilenet'} has no --{name}"
            )
    arguments = {
        name: getattr(options, name)
        for name in given
        if name not in ("network", "squeezenet_version")
    }
    if classes is not None:
        arguments["classes"] = classes
    keras.utils.set_random_seed(seed)
    with warnings.catch_warnings():
        if classes is None:
            # Of a classifier that would be used as it was never trained.
            warnings.filterwarnings("error", ".* keeps its initial weights")
        else:
            warnings.filterwarnings("ignore", ".* keeps its initial weights")
        warnings.filterwarnings("ignore", "batch normalisation in .* is merged")
        try:
            if squeezenet:
                version = options.squeezenet_version or "1.0"
                return mobilenet_tf.build_squeezenet(version, **arguments)
            return mobilenet_tf.build(**arguments)
        except UserWarning as error:
            raise ValueError(str(error)) from error
