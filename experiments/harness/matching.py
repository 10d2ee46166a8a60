"""Which records a table shows: those of one data set, recipe and precision."""

from __future__ import annotations

import collections
import json
import re

from experiments.harness.flags import FLAGS
from mobilenet_tf.data.dataset import DataSet, is_named
from mobilenet_tf.training.recipe import Recipe


def matching(
    records: list[dict], recipe: Recipe, data: DataSet | None = None
) -> list[dict]:
    """The records that the flags describe: data, recipe and precision.

    Args:
        records: All there are.
        recipe: The chosen one.
        data: The data set, where it is loaded; otherwise it is told by the flags.

    Raises:
        ValueError: They are of several data sets, which are no seeds of one network;
            the message says what to choose.
    """
    chosen = [
        record
        for record in records
        if record.get("recipe") == recipe.facts  # evaluations have none
        and record["precision"] == FLAGS.precision
    ]
    if data is not None:
        facts = json.loads(json.dumps(data.facts))  # as it is in a record
        return [record for record in chosen if record["data"] == facts]
    chosen = [record for record in chosen if _asked_for(record["data"])]
    several = collections.defaultdict(set)
    for record in chosen:
        for flag, value in _data(record["data"]).items():
            several[flag].add(str(value))
    for flag, found in several.items():
        if len(found) > 1:
            raise ValueError(
                f"there are records of several data: {', '.join(sorted(found))}; "
                f"choose one with --{flag}"
            )
    return chosen


def _asked_for(facts):
    name, _, version = FLAGS.dataset.partition(":")
    return (
        is_named(facts["name"], name)
        and version in ("", facts["version"])
        and facts["limit"] == FLAGS.limit
        and all(
            flag == "dataset" or getattr(FLAGS, flag) in (None, False, value)
            for flag, value in _data(facts).items()
        )
    )


def _data(facts):
    """By the flag that chooses it, what was trained on."""
    splits = {
        flag: re.sub(r"\[:\d+\]$", "", facts[key]) if facts["limit"] else facts[key]
        for flag, key in (
            ("train_split", "train_split"),
            ("eval_split", "evaluation_split"),
        )
    }
    features = {key: facts.get(key) for key in ("image_key", "label_key", "to_rgb")}
    return {
        "dataset": f"{facts['name']}:{facts['version']}",
        "base_resolution": facts["base_resolution"],
        **splits,
        **features,
    }
