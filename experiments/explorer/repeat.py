"""How to make the network of a record: a command of the reproduction, and Python."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from experiments.explorer.architectures import builder
from experiments.explorer.scripts import rows_with
from experiments.harness import Config
from experiments.trials import settings
from experiments.trials.binding import bound_arguments
from experiments.trials.records import recipe_of
from mobilenet_tf.data.rendering import EMBEDDED
from mobilenet_tf.training.recipe import Recipe
from mobilenet_tf.training.recipes import RECIPES

# Builders that `mobilenet_tf` itself has; the others are imported from their module.
_FACE = ("build", "build_squeezenet")


def command(record: Mapping[str, Any], seeds: int) -> tuple[str | None, str]:
    """The command that trains a record's network again, with all its seeds.

    Args:
        record: Normalised.
        seeds: How many.

    Returns:
        The command, None where no script of `experiments` has this network or no flags
        its recipe; and what the script's table remarks.
    """
    config = _config(record, seeds)
    if config is None:
        return None, ""
    for experiment, row in rows_with(
        record["network_key"], config, record["experiment"]
    ):
        only = f"^{re.escape(row.network.label)}$".replace(r"\ ", " ")
        chosen = dataclasses.replace(config, only=only)
        remark = experiment.remark
        if row.network.key != record["network_key"]:
            way = f"This network is trained on the way to: {row.network.label}."
            remark = f"{way} {remark}".strip()
        return chosen.command(experiment.name), remark
    return None, ""


def _config(record, seeds) -> Config | None:
    """The configuration of the harness under which a record was trained."""
    recipe, data = record["recipe"], record["data"]
    named = RECIPES.get(recipe["name"])
    if named is None:
        return None
    changes = {
        name: recipe[name]
        for name in ("epochs", "batch_size")
        if recipe[name] != getattr(named, name)
    }
    weights = record["network"]["arguments"].get("weights")
    config = Config(
        dataset=data["name"],
        base_resolution=data["base_resolution"],
        recipe=recipe["name"],
        precision=record["precision"],
        seeds=seeds,
        limit=data.get("limit"),
        mobilenet_weights=(weights,) if weights else (),
        **changes,
    )
    return config if config.training_recipe.to_json() == recipe else None


def lines(record: Mapping[str, Any]) -> str | None:
    """Python that makes a record's network: data, network, training, steps, file.

    None where the library does not have the network's builder.
    """
    network, data = record["network"], record["data"]
    if builder(network) is None:
        return None
    imports, body = ["import mobilenet_tf as mt"], []
    directory = "" if data["name"] == EMBEDDED else ', "DIR"'
    side = data["base_resolution"]
    body.append(
        f'data = mt.data.from_tfds("{data["name"]}"{directory}, base_resolution={side})'
    )
    teacher = network.get("teacher")
    recipe = recipe_of(record)
    training = f'precision="{record["precision"]}"'
    if teacher:
        body.append(f"teacher = {_call(teacher['network'], side, imports)}")
        of_table = _fit_recipe(record["recipe"], imports)
        body.append(f"mt.fit(teacher, data, {of_table}, {training})")
    body.append(f"model = {_call(network, side, imports)}")
    if few := network.get("images_per_class"):
        imports.append("from mobilenet_tf.data.subset import few_of_each_class")
        body.append(f"data = few_of_each_class(data, {few})")
    if teacher:
        changed = {key: value for key, value in teacher.items() if key != "network"}
        changed = settings.changed("distil", changed)
        given = [_recipe(recipe, imports), *_keywords(changed), training]
        body.append(f"mt.training.distil(model, teacher, data, {', '.join(given)})")
    else:
        body.append(f"mt.fit(model, data, {_fit_recipe(recipe, imports)}, {training})")
    for step in network.get("steps", ()):
        own = _recipe(step["recipe"], imports)
        changed = settings.changed(step["function"], step["arguments"])
        given = ", ".join(["model", "data", own, *_keywords(changed)])
        body.append(f"model = mt.compression.{step['function']}({given})")
    body.append('mt.export.litert(model, "network.tflite", "int8", data=data)')
    return "\n".join([*sorted(set(imports)), "", *body])


def _call(network, side, imports) -> str:
    """The call that builds a network for `data`."""
    build = builder(network)
    module, _, name = network["builder"].rpartition(".")
    defaults = bound_arguments(build, {})
    parameters = build.__code__.co_varnames
    words = []
    for key, value in network["arguments"].items():
        if key == "block" and value != defaults.get(key):
            imports.append(f"from mobilenet_tf.models.blocks import {value}")
            words.append(f"{key}={value}")
        elif key not in defaults or defaults[key] != value:
            words.append(f"{key}={literal(value)}")
    size = "resolution" if "resolution" in parameters else "base_resolution"
    words += [f"{size}={side}", "classes=data.classes"]
    if name in _FACE:
        return f"mt.{name}({', '.join(words)})"
    imports.append(f"from {module} import {name}")
    return f"{name}({', '.join(words)})"


def _fit_recipe(recipe, imports) -> str:
    """A recipe as `mt.fit` takes it: by its name where that says all but the epochs."""
    name = recipe["name"]
    changed = _changed(recipe, name) if name in RECIPES else {"": ""}
    if set(changed) <= {"epochs"}:
        return ", ".join([f'"{name}"', *_keywords(changed)])
    return _recipe(recipe, imports)


def _recipe(recipe, imports) -> str:
    """A recipe of the library, or one with other settings."""
    closest, changed = closest_recipe(recipe)
    if not changed:
        return f'mt.training.RECIPES["{closest}"]'
    imports.append("from dataclasses import replace")
    keywords = ", ".join(_keywords(changed))
    return f'replace(mt.training.RECIPES["{closest}"], {keywords})'


def closest_recipe(recipe: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The named recipe with the fewest other settings, and those; lists as tuples."""
    closest = min(RECIPES, key=lambda name: len(_changed(recipe, name)))
    return closest, _changed(recipe, closest)


def _changed(recipe, name) -> dict[str, Any]:
    """The settings of a recipe that differ from a named one; lists as tuples."""
    base, own = (
        dataclasses.asdict(chosen)
        for chosen in (RECIPES[name], Recipe.from_json(recipe))
    )
    return {
        key: value for key, value in own.items() if key != "name" and base[key] != value
    }


def _keywords(values) -> list[str]:
    return [f"{key}={literal(value)}" for key, value in values.items()]


def literal(value: Any) -> str:
    """A value as Python; a multiplier such as 0.714285... as a fraction, 5 / 7."""
    if isinstance(value, float) and not value.is_integer():
        fraction = Fraction(value).limit_denominator(32)
        if float(fraction) == value and len(repr(value)) > 6:
            return f"{fraction.numerator} / {fraction.denominator}"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))},)"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{k}": {literal(v)}' for k, v in value.items()) + "}"
    return repr(value)
