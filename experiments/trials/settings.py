"""One form for the settings of compression steps and of distillation."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from experiments.trials.binding import json_ready, like_default
from mobilenet_tf import compression
from mobilenet_tf.training.distillation import distil

# By their names in records.
FUNCTIONS: dict[str, Callable] = {
    function.__name__: function
    for function in (
        distil,
        compression.prune,
        compression.cluster,
        compression.quantize,
        compression.remove_channels,
        compression.low_rank,
    )
}
# What a trial gives to them, or follows from its data.
_OF_THE_TRIAL = {
    "seed",
    "precision",
    "input_range",
    "teacher_input_range",
    "multi_label",
    "outputs_folder",
    "snapshot_path",
    "on_epoch",
    "report",
}


def bound(function: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """All settings in JSON-ready form, with the function's defaults applied.

    So `{"clusters": 16}` and `{"clusters": 16, "depthwise": True}` are one step.

    Args:
        function: Its name; one that the library no longer has, or of a user's own,
            leaves the settings as they are.
        settings: Keyword arguments, without those that a trial gives.
    """
    defaults = _defaults(function)
    given = {
        name: like_default(value, defaults.get(name))
        for name, value in settings.items()
    }
    return json_ready({**defaults, **given})


def changed(function: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `bound` that differ from the function's defaults."""
    defaults = bound(function, {})
    return {
        name: value
        for name, value in bound(function, settings).items()
        if name not in defaults or value != defaults[name]
    }


def _defaults(function):
    if function not in FUNCTIONS:
        return {}
    parameters = inspect.signature(FUNCTIONS[function]).parameters.values()
    return {
        parameter.name: parameter.default
        for parameter in parameters
        if parameter.kind is parameter.KEYWORD_ONLY
        and parameter.default is not parameter.empty
        and parameter.name not in _OF_THE_TRIAL
    }
