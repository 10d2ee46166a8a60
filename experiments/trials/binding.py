"""One form for the arguments of a network, however they were written, and its hash."""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

import numpy as np

# The data set determines them, so they are no part of a network's configuration.
FROM_DATA = ("classes", "resolution", "base_resolution")


def digest(config: Any) -> str:
    """Sixteen hexadecimal digits that identify a JSON-ready configuration."""
    text = json.dumps(config, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def function_name(build: Callable) -> str:
    """Module and name of a builder, such as `mobilenet_tf.models.mobilenet.build`."""
    function = build.func if isinstance(build, functools.partial) else build
    return f"{function.__module__}.{function.__name__}"


def bound_arguments(build: Callable, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """All arguments of a call in JSON-ready form, with the builder's defaults applied.

    So `build(1.0)`, `build(alpha=1)` and `build(alpha=1.0, rho=1.0)` are one call.
    The input side and the number of classes are left out.

    Args:
        build: A builder, or a `functools.partial` of one.
        arguments: Keyword arguments.

    Raises:
        TypeError: The builder has no such argument.
    """
    positional: tuple = ()
    if isinstance(build, functools.partial):
        positional, arguments = build.args, {**build.keywords, **arguments}
        build = build.func
    signature = inspect.signature(build)
    call = signature.bind(*positional, **arguments)
    call.apply_defaults()
    values = {}
    for name, value in call.arguments.items():
        parameter = signature.parameters[name]
        if parameter.kind is parameter.VAR_KEYWORD:
            values |= value
        else:
            values[name] = like_default(value, parameter.default)
    return {
        name: json_ready(value)
        for name, value in values.items()
        if name not in FROM_DATA
    }


def like_default(value: Any, default: Any) -> Any:
    """An argument as its default is written: 1 for 1.0 is a float too."""
    if isinstance(default, float) and isinstance(value, int):
        return float(value)
    return value


def json_ready(value: Any) -> Any:
    """A value as it is read back from a record; functions and files by their name."""
    if isinstance(value, Mapping):
        return {str(key): json_ready(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [json_ready(inner) for inner in value]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, PurePath):
        return value.name
    return value.__name__ if callable(value) else value


def changed_arguments(build: Callable, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `bound_arguments` that differ from the builder's defaults."""
    given = bound_arguments(build, arguments)
    function = build.func if isinstance(build, functools.partial) else build
    defaults = {
        name: json_ready(parameter.default)
        for name, parameter in inspect.signature(function).parameters.items()
    }
    return {name: value for name, value in given.items() if value != defaults.get(name)}
