"""How a network pads and normalises, which its weights depend on."""

from __future__ import annotations

from typing import Any, NamedTuple

from mobilenet_tf import arguments
from mobilenet_tf.models import timm_weights
from mobilenet_tf.models.blocks import EPSILON, PADDINGS
from mobilenet_tf.models.weights_file import UNREADABLE, StoredWeights, bad


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
    padding: str | None, epsilon: float | None, weights: StoredWeights | None
) -> Conventions:
    """The conventions of a network: as given, as its weights need, or Keras'.

    Args:
        padding: As given to `build`.
        epsilon: As given to `build`.
        weights: What a weights file holds.

    Raises:
        ValueError: The weights need others than those given, or the file is damaged.
    """
    stored = (None, None) if weights is None else of_file(weights)
    chosen: list[Any] = []
    for name, given, needed, default in zip(
        Conventions._fields, (padding, epsilon), stored, KERAS, strict=True
    ):
        differs = None not in (given, needed) and given != needed
        if weights is not None and differs:
            raise ValueError(
                f"{name} must be None or {needed!r}, as the weights in "
                f"{str(weights.path)!r} need it, got {given!r}"
            )
        chosen.append(next(v for v in (given, needed, default) if v is not None))
    return Conventions(*chosen)


def of_file(weights: StoredWeights) -> tuple[str | None, float | None]:
    """Padding and epsilon of the network in a weights file; None where it is silent.

    Raises:
        ValueError: The file is damaged.
    """
    if str(weights.path).endswith(timm_weights.SUFFIX):
        return TIMM
    layers = weights.layers
    if not layers:
        return None, None
    try:
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
        raise bad(weights.path, str(error)) from error
    padding = "symmetric" if symmetric else "same"
    return padding, epsilons[0] if epsilons else None
