"""How a network pads and normalises, which its weights depend on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from os import PathLike
from typing import Any, NamedTuple

import h5py

from mobilenet_tf import arguments
from mobilenet_tf.files import archive
from mobilenet_tf.models import timm_weights
from mobilenet_tf.models.blocks import EPSILON, PADDINGS
from mobilenet_tf.models.weights_file import UNREADABLE, bad


class Conventions(NamedTuple):
    """The options of `mobilenet_tf.models.blocks` that a framework fixes.

    Attributes:
        padding: Of strided convolutions, "same" or "symmetric".
        epsilon: Added to the variance in batch normalisation.
    """

    padding: str
    epsilon: float


KERAS = Conventions("same", EPSILON)
TIMM = Conventions(timm_weights.PADDING, timm_weights.EPSILON)


def check(padding: str | None, epsilon: float | None) -> None:
    """Raise ValueError unless the arguments are legal; None stands for the default."""
    arguments.one_of("padding", padding, (None, *PADDINGS))
    if epsilon is not None:
        arguments.number("epsilon", epsilon, lambda value: value > 0, "> 0")


def resolve(
    padding: str | None, epsilon: float | None, weights: str | PathLike | None
) -> Conventions:
    """The conventions of a network: as given, as its weights need, or Keras'.

    Args:
        padding: As given to `build`.
        epsilon: As given to `build`.
        weights: Path of a weights file.

    Raises:
        ValueError: The weights need others than those given, or the file is damaged.
    """
    stored = (None, None) if weights is None else of_file(weights)
    chosen: list[Any] = []
    for name, given, needed, default in zip(
        Conventions._fields, (padding, epsilon), stored, KERAS, strict=True
    ):
        if None not in (given, needed) and given != needed:
            raise ValueError(
                f"{name} must be None or {needed!r}, as the weights in "
                f"{str(weights)!r} need it, got {given!r}"
            )
        chosen.append(next(v for v in (given, needed, default) if v is not None))
    return Conventions(*chosen)


def of_file(path: str | PathLike) -> tuple[str | None, float | None]:
    """Padding and epsilon of the network in a weights file; None where it is silent.

    Raises:
        ValueError: The file is damaged.
    """
    if str(path).endswith(timm_weights.SUFFIX):
        return TIMM
    try:
        layers = list(_layers(_config(path)))
        epsilons = [
            settings["epsilon"]
            for kind, settings in layers
            if kind == "BatchNormalization"
        ]
        symmetric = any(
            kind == "ZeroPadding2D" and settings["padding"] == [[1, 1], [1, 1]]
            for kind, settings in layers
        )
    except UNREADABLE as error:
        raise bad(path, str(error)) from error
    if not layers:
        return None, None
    padding = "symmetric" if symmetric else "same"
    return padding, epsilons[0] if epsilons else None


def _config(path):
    """The architecture of a Keras file; None where it holds weights alone."""
    if str(path).endswith(".keras"):
        content = archive.read(path, "config.json")
        if content is None:
            raise ValueError("it has no config.json")
        return json.loads(content)
    with h5py.File(path) as file:
        return json.loads(file.attrs.get("model_config", "null"))


def _layers(config: Any) -> Iterator[tuple[str, dict]]:
    """Class and settings of every layer, in models inside models too."""
    if isinstance(config, list):
        for item in config:
            yield from _layers(item)
    elif isinstance(config, dict):
        if isinstance(config.get("config"), dict) and "class_name" in config:
            yield config["class_name"], config["config"]
        for item in config.values():
            yield from _layers(item)
