"""Checks of arguments: a ValueError names the argument, what is legal and what came."""

from __future__ import annotations

import math
from collections.abc import Collection
from numbers import Integral, Real


def number(name: str, value, legal, text: str) -> None:
    """A finite number for which `legal(value)` holds; `text` says when: "in (0, 1]"."""
    finite = (
        isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    )
    if not finite or not legal(value):
        raise ValueError(f"{name} must be a number {text}, got {value!r}")


def integer(name: str, value, minimum: int = 1) -> None:
    """An integer of at least `minimum`."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < minimum:
        raise ValueError(f"{name} must be an integer >= {minimum}, got {value!r}")


def one_of(name: str, value, legal: Collection) -> None:
    """One of a few values."""
    if value not in legal:
        raise ValueError(
            f"{name} must be one of {', '.join(map(str, legal))}, got {value!r}"
        )


def top(classes, dropout, include_top, pooling) -> None:
    """The arguments about the end of a network, as `keras.applications` names them."""
    integer("classes", classes)
    number("dropout", dropout, lambda value: 0 <= value < 1, "in [0, 1)")
    one_of("pooling", pooling, (None, "avg", "max"))
    if include_top and pooling is not None:
        raise ValueError(f"pooling needs include_top=False, got pooling={pooling!r}")
