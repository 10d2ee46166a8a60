"""Checks of arguments: a ValueError names the argument, what is legal, what was given.

The first parameter of a check is the argument's name, the second its value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from numbers import Integral, Real
from typing import Any


def number(name: str, value: Any, legal: Callable[[Any], bool], text: str) -> None:
    """Check for a finite number.

    Args:
        name: Name of the argument.
        value: Its value.
        legal: Whether a finite number is in range.
        text: The range in words, such as "in (0, 1]".
    """
    finite = (
        isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    )
    if not finite or not legal(value):
        raise ValueError(f"{name} must be a number {text}, got {value!r}")


def integer(name: str, value: Any, minimum: int = 1, why: str = "") -> None:
    """Check for an integer >= `minimum`; `why` follows the minimum in the message."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < minimum:
        raise ValueError(f"{name} must be an integer >= {minimum}{why}, got {value!r}")


def sequence(name: str, value: Any, length: int | None = None) -> Sequence[Any]:
    """Check for a tuple or list, of `length` items if given, and return it."""
    if not isinstance(value, tuple | list) or length not in (None, len(value)):
        expected = "a sequence" if length is None else f"sequences of {length}"
        raise ValueError(f"{name} must be {expected}, got {value!r}")
    return value


def integers(name: str, value: Any, length: int | None = None) -> None:
    """Check for a sequence of positive integers, of `length` items if given."""
    for item in sequence(name, value, length):
        integer(name, item)


def one_of(name: str, value: Any, legal: Collection[Any]) -> None:
    """Check for one of the values in `legal`."""
    if value not in tuple(legal):
        raise ValueError(
            f"{name} must be one of {', '.join(map(repr, legal))}, got {value!r}"
        )


def instance(name: str, value: Any, expected: type) -> None:
    """Check for an instance of the class `expected`."""
    if not isinstance(value, expected):
        raise ValueError(f"{name} must be a {expected.__name__}, got {value!r}")


def function(name: str, value: Any) -> None:
    """Check for a callable."""
    if not callable(value):
        raise ValueError(f"{name} must be a function, got {value!r}")


def names(name: str, value: Any, legal: Collection[str]) -> None:
    """Check for a collection of names that are all in `legal`; a str is rejected."""
    if isinstance(value, str) or not isinstance(value, Collection):
        raise ValueError(f"{name} must be a collection of names, got {value!r}")
    for item in value:
        one_of(name, item, legal)


def keywords(function: str, given: Collection[str], legal: Collection[str]) -> None:
    """Check the names of a function's keyword arguments; raises a TypeError."""
    for name in given:
        if name not in legal:
            raise TypeError(
                f"{function}() got an unexpected keyword argument {name!r}; those "
                f"beside its own are {', '.join(legal)}"
            )


def activation(name: str, value: Any) -> None:
    """Check for None or the name of a Keras activation."""
    import keras  # the other checks are for devices without it too

    try:
        keras.activations.get(value)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} must be None or the name of a Keras activation, got {value!r}"
        ) from error


def only_flags(command: Sequence[str]) -> None:
    """Reject positional arguments of a command line.

    Args:
        command: The program's name and what the flag parser left over.
    """
    if command[1:]:
        raise ValueError(
            f"unexpected positional argument: {' '.join(command[1:])!r}; "
            "flags begin with --"
        )


def top(
    classes: Any,
    dropout: Any,
    include_top: Any,
    pooling: Any,
    classifier_activation: Any,
    name: Any,
) -> None:
    """Check the arguments that describe a network's head, and its name."""
    integer("classes", classes)
    number("dropout", dropout, lambda value: 0 <= value < 1, "in [0, 1)")
    one_of("include_top", include_top, (True, False))
    one_of("pooling", pooling, (None, "avg", "max"))
    activation("classifier_activation", classifier_activation)
    if name is not None and (not isinstance(name, str) or not name or "/" in name):
        raise ValueError(
            f"name must be None or a non-empty string without '/', got {name!r}"
        )
    if include_top and pooling is not None:
        raise ValueError(f"pooling needs include_top=False, got pooling={pooling!r}")
