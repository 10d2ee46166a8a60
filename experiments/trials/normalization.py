"""Records of all ages in today's form, so that equal trials have equal keys."""

from __future__ import annotations

import re

from experiments.trials import settings
from experiments.trials.binding import bound_arguments, digest, function_name
from experiments.trials.trial import CONFIG
from mobilenet_tf.models import baselines, mobilenet, squeezenet
from mobilenet_tf.training.recipe import Recipe

_BUILDERS = {
    function_name(build): build
    for build in (
        mobilenet.build,
        squeezenet.build_squeezenet,
        baselines.alexnet,
        baselines.googlenet,
        baselines.inception_v3,
        baselines.vgg16,
    )
}


def normalized(record: dict) -> dict:
    """A record with the names and defaults of today, and its network's key.

    Builders have today's module names; arguments of the project's builders, settings
    of steps, distillation and recipes that a record leaves out have their defaults. A
    record without a network, such as one of published weights, is returned as it is.

    Args:
        record: As it was read from a file; it is not changed.
    """
    if "network" not in record:
        return record
    network = _network(record["network"])
    return {
        **record,
        "network": network,
        "network_key": digest(network),
        "recipe": _recipe(record["recipe"]),
    }


def record_key(record: dict) -> str:
    """Identifies the trial of a normalised record; equal trials have equal keys."""
    if "network" not in record:
        return record["key"]
    return digest({name: record[name] for name in CONFIG})


def _network(config):
    builder = re.sub(
        r"^mobilenet_tf\.(mobilenet|squeezenet|baselines)\.",
        r"mobilenet_tf.models.\1.",
        config["builder"],
    )
    changes = {"builder": builder}
    if builder in _BUILDERS:
        try:
            changes["arguments"] = bound_arguments(
                _BUILDERS[builder], config["arguments"]
            )
        except TypeError:  # an argument that the builder no longer has
            changes["arguments"] = config["arguments"]
    if "teacher" in config:
        given = dict(config["teacher"])
        teacher = _network(given.pop("network"))
        changes["teacher"] = {"network": teacher, **settings.bound("distil", given)}
    if "steps" in config:
        changes["steps"] = [_step(step) for step in config["steps"]]
    return {**config, **changes}


def _step(step):
    given = settings.bound(step["function"], step["arguments"])
    return {**step, "arguments": given, "recipe": _recipe(step["recipe"])}


def _recipe(recipe):
    return Recipe.from_json(recipe).to_json()
