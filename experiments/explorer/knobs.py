"""The knobs of a record: what was chosen about its network and its training.

Whatever arguments, steps and recipes records have becomes a knob here; the page makes a
control for each knob that has several values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from experiments.explorer.architectures import builder
from experiments.explorer.repeat import closest_recipe
from experiments.trials import settings
from experiments.trials.binding import bound_arguments
from experiments.trials.records import recipe_of

Value = float | str | None

FAMILIES = {
    "build": "MobileNet",
    "build_squeezenet": "SqueezeNet",
    "alexnet": "AlexNet",
    "googlenet": "GoogLeNet",
    "vgg16": "VGG 16",
    "inception_v3": "Inception V3",
}
# Title and explanation of the knobs that most records have; others have their name.
TITLES = {
    "network": ("Network", "architecture"),
    "alpha": ("Width multiplier alpha", "channels of every layer, times alpha"),
    "rho": ("Resolution multiplier rho", "side of the input, times rho"),
    "base_resolution": ("Side at rho 1", "pixels"),
    "recipe": ("Recipe", "how it was trained"),
    "epochs": ("Epochs", "passes over the training images"),
    "images_per_class": ("Training images", "of each class"),
    "precision": ("Training precision", "arithmetic of the training step"),
    "prune": ("Pruned weights", "share of the weights that are zero"),
    "cluster": ("Distinct values", "clusters of each kernel; none: not clustered"),
    "quantize": ("Weights", "float32, or trained in 8 bits"),
    "remove_channels": ("Removed channels", "share of every layer's channels"),
    "low_rank": ("Low rank", "share of the singular values that are kept"),
    "teacher": ("Teacher", "network whose outputs it was trained on"),
    "weights": ("First weights", "what the training began with"),
}
# What a network has that no compression step was applied to.
_WITHOUT_STEP: dict[str, Value] = {
    "remove_channels": 0.0,
    "low_rank": "none",
    "prune": 0.0,
    "cluster": "none",
    "quantize": "float32",
}
_ORDINARY: dict[str, Value] = {
    **_WITHOUT_STEP,
    "images_per_class": "all",
    "teacher": "none",
    "weights": "random",
}
_IN_LABEL = {
    "images_per_class": "{} images a class",
    "remove_channels": "{:g} of the channels removed",
    "low_rank": "low rank {}",
    "prune": "pruned {}",
    "cluster": "{} values",
    "quantize": "{}",
    "teacher": "taught by {}",
    "weights": "pre-trained",
}
_LONG = 24  # characters of a value that a label leaves out
_STEP_VALUES = {"quantize": "int8"}
_SHOWN_ELSEWHERE = ("alpha", "rho", "weights")


def family(network: Mapping[str, Any]) -> str:
    """What people call the architecture of a record's network."""
    name = network["builder"].rpartition(".")[2]
    return FAMILIES.get(name, name)


def of(record: Mapping[str, Any]) -> dict[str, Value]:
    """The knobs of a normalised record: numbers or texts; None where it has none."""
    network = record["network"]
    given = network["arguments"]
    return {
        "network": family(network),
        "alpha": given.get("alpha"),
        "rho": given.get("rho"),
        "base_resolution": record["data"]["base_resolution"],
        "recipe": _recipe(record),
        "epochs": recipe_of(record)["epochs"],
        "images_per_class": network.get("images_per_class", "all"),
        "precision": record["precision"],
        **_WITHOUT_STEP,
        **_steps(network.get("steps", ())),
        "teacher": _teacher(network.get("teacher")),
        "weights": given.get("weights") or "random",
        **{
            name: text(value)
            for name, value in _changed(network).items()
            if name not in _SHOWN_ELSEWHERE
        },
    }


def label(values: Mapping[str, Value], side: int) -> str:
    """A network in a few words: its name, input side, and what is unusual about it.

    Args:
        values: As `of` returns them.
        side: Of the input, in pixels.
    """
    alpha = values["alpha"]
    name = str(values["network"])
    parts = [name if alpha is None else f"{alpha:g} {name}", f"{side} px"]
    for key, value in values.items():
        if key in _IN_LABEL and value != _ORDINARY[key]:
            parts.append(_IN_LABEL[key].format(_without_brackets(value)))
        elif key == "blocks" and value is not None:
            parts.append(_blocks(str(value)))
        elif key not in TITLES and value is not None:
            name = key.replace("_", " ")
            long = len(str(value)) > _LONG
            parts.append(f"other {name}" if long else f"{name} {value}")
    return ", ".join(parts)


def _blocks(value):
    """Blocks such as "64/1 128/2" in words."""
    blocks = value.split()
    strided = [
        str(number)
        for number, block in enumerate(blocks, start=1)
        if not block.endswith("/1")
    ]
    return f"{len(blocks)} blocks, stride 2 in {' '.join(strided)}"


def _without_brackets(value):
    return value.partition(" (")[0] if isinstance(value, str) else value


def text(value: Any) -> Value:
    """A value of an argument as a number or a short text."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, int | float):
        return value
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " ".join(_item(item) for item in value)
    return str(value)


def _item(item):
    if isinstance(item, Sequence) and not isinstance(item, str):
        return "/".join(map(str, item))
    return str(item)


def _changed(network):
    """The arguments that differ from the builder's defaults."""
    build = builder(network)
    defaults = bound_arguments(build, {}) if build else {}
    return {
        name: value
        for name, value in network["arguments"].items()
        if name not in defaults or defaults[name] != value
    }


def _steps(steps) -> dict[str, Value]:
    """The main argument of each step; a later step of a function replaces earlier."""
    values: dict[str, Value] = {}
    for step in steps:
        name = step["function"]
        arguments = settings.changed(name, step["arguments"])
        skipped = arguments.pop("skip", ())
        main = next(iter(arguments.values()), _STEP_VALUES.get(name, "yes"))
        if isinstance(main, Mapping):  # a value for each layer
            shares = list(main.values())
            main = f"by layer, {min(shares):.2g} to {max(shares):.2g}"
        if skipped:
            main = f"{main} (not {' '.join(skipped)})"
        values[name] = main
    return values


def _recipe(record) -> str:
    """The recipe's name, with what is other for this network but the epochs."""
    if not record["network"].get("recipe_changes"):
        return record["recipe"]["name"]
    name, changed = closest_recipe(recipe_of(record))
    others = {key: text(value) for key, value in changed.items() if key != "epochs"}
    return ", ".join([name, *(f"{key} {value}" for key, value in others.items())])


def _teacher(teacher) -> str:
    if teacher is None:
        return "none"
    network = teacher["network"]
    alpha = network["arguments"].get("alpha", math.nan)
    name = family(network)
    return name if math.isnan(alpha) else f"{alpha:g} {name}"
