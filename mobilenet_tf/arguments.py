"""Checks of arguments: a ValueError names the argument, what is legal and what came."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from numbers import Integral, Real

import keras


def number(name: str, value, legal, text: str) -> None:
    """A finite number for which `legal(value)` holds; `text` says when: "in (0, 1]"."""
    finite = (
        isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    )
    if not finite or not legal(value):
        raise ValueError(f"{name} must be a number {text}, got {value!r}")


def integer(name: str, value, minimum: int = 1, why: str = "") -> None:
    """An integer of at least `minimum`; `why` follows it in the error."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < minimum:
        raise ValueError(f"{name} must be an integer >= {minimum}{why}, got {value!r}")


def sequence(name: str, value, length: int | None = None) -> Sequence:
    """A tuple or list, of a length where one is given."""
    known = isinstance(value, tuple | list)
    if not known or length not in (None, len(value)):
        what = "a sequence" if length is None else f"sequences of {length}"
        raise ValueError(f"{name} must be {what}, got {value!r}")
    return value


def integers(name: str, value, length: int | None = None) -> None:
    """A sequence of positive integers."""
    for one in sequence(name, value, length):
        integer(name, one)


def one_of(name: str, value, legal: Collection) -> None:
    """One of a few values."""
    if value not in tuple(legal):
        raise ValueError(
            f"{name} must be one of {', '.join(map(repr, legal))}, got {value!r}"
        )


def instance(name: str, value, kind: type) -> None:
    """An object of a class."""
    if not isinstance(value, kind):
        raise ValueError(f"{name} must be a {kind.__name__}, got {value!r}")


def function(name: str, value) -> None:
    """Something to call."""
    if not callable(value):
        raise ValueError(f"{name} must be a function, got {value!r}")


def names(name: str, value, legal: Collection[str]) -> None:
    """A collection of names, all of them legal; one name alone is none."""
    if isinstance(value, str) or not isinstance(value, Collection):
        raise ValueError(f"{name} must be a collection of names, got {value!r}")
    for one in value:
        one_of(name, one, legal)


def activation(name: str, value) -> None:
    """What `keras.activations.get` takes: the name of an activation, or None."""
    try:
        keras.activations.get(value)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} must be None or the name of a Keras activation, got {value!r}"
        ) from error


def only_flags(command: Sequence[str]) -> None:
    """A command line of the program's name, from which the flags were taken."""
    if command[1:]:
        raise ValueError(f"there are only flags, got {' '.join(command[1:])!r}")


def top(classes, dropout, include_top, pooling, classifier_activation, name) -> None:
    """What `keras.applications` takes about the end of a network, and its name."""
    integer("classes", classes)
    number("dropout", dropout, lambda value: 0 <= value < 1, "in [0, 1)")
    one_of("include_top", include_top, (True, False))
    one_of("pooling", pooling, (None, "avg", "max"))
    activation("classifier_activation", classifier_activation)
    if name is not None and (not isinstance(name, str) or not name or "/" in name):
        raise ValueError(f"name must be None or a text without '/', got {name!r}")
    if include_top and pooling is not None:
        raise ValueError(f"pooling needs include_top=False, got pooling={pooling!r}")
