"""Make a trained network smaller; its accuracy is measured before and after.

The steps that are given are taken in this order: channels are removed, weights pruned,
shared and quantised. Photographs are split as they were for the training.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mobilenet_tf
from mobilenet_tf import compression, files
from mobilenet_tf.cli import datasets, networks
from mobilenet_tf.cli.flags import note, ratio, written
from mobilenet_tf.compression import channels, fine_tuning, kernels
from mobilenet_tf.compression.steps import TRAINED_BY_TOOLKIT
from mobilenet_tf.training import RECIPES, recipes

USAGE = "MODEL.keras --images=DIR --output=FILE.keras [steps]"
ARGUMENTS = datasets.ARGUMENTS | {
    "sparsity": "--prune",
    "clusters": "--cluster",
    "fraction": "--remove_channels",
}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    networks.add_file(parser)
    datasets.add_flags(parser, split=True)
    parser.add_argument(
        "--output", metavar="FILE.keras", type=Path, required=True, help="file to write"
    )
    steps = parser.add_argument_group("steps, at least one")
    steps.add_argument(
        "--remove_channels",
        type=ratio,
        metavar="SHARE",
        help="remove this share of every layer's channels: smaller and faster",
    )
    steps.add_argument(
        "--prune",
        type=ratio,
        metavar="SHARE",
        help="set this share of the weights to zero",
    )
    steps.add_argument(
        "--cluster",
        type=int,
        metavar="COUNT",
        help="share this many values in each kernel",
    )
    steps.add_argument(
        "--quantize",
        action="store_true",
        help="train for 8-bit weights and activations",
    )
    group = parser.add_argument_group("training after each step")
    group.add_argument(
        "--recipe",
        choices=RECIPES,
        default="compress",
        metavar="NAME",
        help="training recipe, default compress",
    )
    group.add_argument("--epochs", type=int, help="default: those of the recipe")
    group.add_argument("--seed", type=int, default=0, help="default: 0")


def run(options: argparse.Namespace) -> None:
    """Take the steps, printing the report of each."""
    steps = _steps(options)
    if not steps:
        raise ValueError(
            "--prune, --cluster, --quantize or --remove_channels must be given"
        )
    output = options.output
    if output.suffix != ".keras" or output.exists():
        raise ValueError(
            f"--output must be a .keras file that does not exist, got {str(output)!r}"
        )
    recipe = recipes.named(options.recipe, options.epochs)
    if any(step in TRAINED_BY_TOOLKIT for step, _ in steps):
        fine_tuning.toolkit()  # an error where it is missing
    try:
        files.make_folder(output.parent)
    except OSError as error:
        raise ValueError(
            f"--output must be in a folder that can be made, got {str(output)!r} "
            f"({error.strerror})"
        ) from error
    model = networks.load(options.model)
    data = datasets.load(options, model.input_shape[1], model)
    shared = {"seed": options.seed, "input_range": options.input_range}
    for step, arguments in steps:
        model = step(model, data, recipe, report=_print, **shared, **arguments)
    mobilenet_tf.save_model(model, output)
    written(output)


def _steps(options: argparse.Namespace) -> list[tuple[Callable, dict[str, Any]]]:
    """The steps that are given with their own arguments, in the order to take them."""
    steps: list[tuple[Callable, dict[str, Any]]] = []
    if options.remove_channels is not None:
        fraction = options.remove_channels
        channels.check_fraction(fraction)
        steps.append((compression.remove_channels, {"fraction": fraction}))
    if options.prune is not None:
        kernels.check_sparsity(options.prune)
        steps.append((compression.prune, {"sparsity": options.prune}))
    if options.cluster is not None:
        kernels.check_clusters(options.cluster)
        steps.append((compression.cluster, {"clusters": options.cluster}))
    if options.quantize:
        steps.append((compression.quantize, {}))
    return steps


def _print(report: object) -> None:
    note(f"\n{report}")
