"""The records that a table shows: of a single data set, recipe and precision."""

from __future__ import annotations

import collections
import re
from collections.abc import Iterable

from experiments.harness.config import Config
from experiments.trials.binding import json_ready
from mobilenet_tf.data.dataset import DataSet, is_named

# Data flags that a record answers: the flag and the key in the record's metadata.
_SPLITS = {"train_split": "train_split", "eval_split": "evaluation_split"}
_FEATURES = ("image_key", "label_key", "to_rgb")


def matching(
    records: Iterable[dict],
    config: Config,
    networks: Iterable[str],
    data: DataSet | None = None,
) -> list[dict]:
    """The records of the configured data set, recipe and precision.

    Args:
        records: All records, normalised.
        config: The configuration; its precision may be "auto", if the records of the
            networks have one precision.
        networks: Keys of the networks that the table shows.
        data: The data set, if it is loaded; otherwise the flags describe it.

    Raises:
        ValueError: The records are of several data sets or precisions, so they are not
            seeds of one trial; the message names the flag that chooses.
    """
    chosen = [
        record
        for record in of_the_same_training(records, config, data)
        if config.precision in ("auto", record["precision"])
    ]
    keys = set(networks)
    shown = [record for record in chosen if record["network_key"] in keys]
    _require_one(shown, {"precision": lambda record: record["precision"]})
    if data is None:
        _require_one(
            chosen,
            {
                flag: lambda record, flag=flag: _data_flags(record["data"])[flag]
                for flag in ("dataset", "base_resolution", *_SPLITS, *_FEATURES)
            },
        )
    precisions = {record["precision"] for record in shown}
    return [record for record in chosen if record["precision"] in precisions]


def of_the_same_training(
    records: Iterable[dict], config: Config, data: DataSet | None = None
) -> list[dict]:
    """The records of the configured data set and recipe, whatever their precision.

    Args:
        records: All records, normalised.
        config: The configuration.
        data: The data set, if it is loaded; otherwise the flags describe it.
    """
    recipe = config.training_recipe.to_json()
    # Evaluations of published weights have no recipe.
    chosen = [record for record in records if record.get("recipe") == recipe]
    if data is None:
        return [record for record in chosen if _fits(record["data"], config)]
    metadata = json_ready(data.metadata.to_json())
    return [record for record in chosen if record["data"] == metadata]


def _require_one(records, questions):
    """Raise ValueError where records answer a question differently."""
    answers = collections.defaultdict(set)
    for record in records:
        for flag, answer in questions.items():
            answers[flag].add(str(answer(record)))
    for flag, values in answers.items():
        if len(values) > 1:
            raise ValueError(
                f"there are records with several values of --{flag}: "
                f"{', '.join(sorted(values))}; choose one with --{flag}"
            )


def _fits(metadata, config):
    name, _, version = config.dataset.partition(":")
    return (
        is_named(metadata["name"], name)
        and version in ("", metadata["version"])
        and metadata["limit"] == config.limit
        and all(
            flag == "dataset" or getattr(config, flag) in (None, False, value)
            for flag, value in _data_flags(metadata).items()
        )
    )


def _data_flags(metadata):
    """The flags that choose the training data of a record."""
    splits = {flag: metadata[key] for flag, key in _SPLITS.items()}
    if metadata["limit"]:
        splits = {
            flag: re.sub(r"\[:\d+\]$", "", split) for flag, split in splits.items()
        }
    return {
        "dataset": f"{metadata['name']}:{metadata['version']}",
        "base_resolution": metadata["base_resolution"],
        **splits,
        **{key: metadata.get(key) for key in _FEATURES},
    }
