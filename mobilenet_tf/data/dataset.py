"""One interface to image classification data: streamed by TFDS, or arrays in memory."""

from __future__ import annotations

import dataclasses
import math
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from mobilenet_tf import arguments
from mobilenet_tf.data.arrays import Batch, load_arrays, save_arrays

MODES = ("auto", "arrays", "stream")
_CHOICES = ("image_key", "label_key", "to_rgb", "unlabelled")


class Split(Protocol):
    """What training and evaluation need of a split."""

    size: int

    def epoch(self, batch_size: int, seed=None) -> Iterator[Batch]:
        """The split once: shuffled full batches with a seed, else all in order."""


@dataclasses.dataclass(frozen=True)
class DataSet:
    """Two splits of images and the facts that identify them.

    Attributes:
        train: The split that is trained on.
        evaluation: The split that is evaluated.
        facts: JSON-ready: name, version, splits, sizes, classes, limit, side; and
            `multi_label` and `unlabelled` where they are true.
    """

    train: Split
    evaluation: Split
    facts: dict

    @property
    def classes(self) -> int:
        return len(self.facts["class_names"])

    @property
    def multi_label(self) -> bool:
        """Whether an image has any number of labels instead of one."""
        return self.facts.get("multi_label", False)

    @property
    def unlabelled(self) -> bool:
        """Whether nothing is said of the images."""
        return self.facts.get("unlabelled", False)

    @property
    def side(self) -> int:
        """Side in pixels of the stored images."""
        return self.facts["side"]


def load(
    name: str,
    data_dir: str | None = None,
    *,
    base_resolution: int | None = None,
    mode: str = "auto",
    memory_budget_bytes: int = 4 * 2**30,
    arrays: str | os.PathLike | None = None,
    report: Callable[[str], None] = print,
    **selection,
) -> DataSet:
    """A TFDS data set, ready for training.

    Images are stored as squares of `base_resolution / 0.875` pixels, or of their own
    size where that is smaller: enough for the central crop at full resolution.

    Args:
        name: TFDS name of the data set.
        data_dir: Directory of prepared data sets; None means TFDS' own.
        base_resolution: Input side in pixels at rho 1; None means 224, or the side of
            the images where all have one that is smaller.
        mode: "arrays" decodes everything into memory once, "stream" decodes in every
            epoch, "auto" takes arrays where they fit the budget.
        memory_budget_bytes: The most that "auto" puts into memory.
        arrays: File of decoded arrays: read if it exists, else written. With an
            existing file neither TensorFlow nor TFDS is needed.
        report: Called with a line that says what was chosen.
        **selection: See `mobilenet_tf.data.catalogue.open_source`.

    Raises:
        ValueError: An argument or the data set does not fit; the message says which.
    """
    arguments.one_of("data_mode", mode, MODES)
    if base_resolution is not None:
        arguments.integer("base_resolution", base_resolution)
        base_resolution = int(base_resolution)  # numpy's would be no JSON
    if arrays is not None and Path(arrays).is_dir():
        raise ValueError(f"arrays must be a file, got the folder {str(arrays)!r}")
    if arrays is not None and Path(arrays).exists():
        data = _from_file(arrays, name, base_resolution, selection)
        report(f"data: {describe(data)}, arrays from {arrays}")
        return data

    from mobilenet_tf.data.catalogue import open_source
    from mobilenet_tf.data.streaming import StreamSplit

    source = open_source(name, data_dir, **selection)
    base_resolution, side = _sides(base_resolution, source.image_shape)
    splits = {
        "train": StreamSplit(source, source.train_split, side),
        "evaluation": StreamSplit(source, source.evaluation_split, side),
    }
    facts = {
        "name": source.name,
        "version": source.version,
        "train_split": source.train_split,
        "evaluation_split": source.evaluation_split,
        "train_size": splits["train"].size,
        "evaluation_size": splits["evaluation"].size,
        "class_names": source.labels.names,
        "side": side,
        "base_resolution": base_resolution,
        "limit": selection.get("limit"),
        **_chosen_features(selection),
        **({"multi_label": True} if source.labels.multi_label else {}),
    }
    size_bytes = 3 * side**2 * (facts["train_size"] + facts["evaluation_size"])
    if arrays is not None or mode == "arrays":
        mode = "arrays"
    elif mode == "auto":
        mode = "arrays" if size_bytes <= memory_budget_bytes else "stream"
    if mode == "arrays":
        splits = {role: split.decode() for role, split in splits.items()}
    if arrays is not None:
        save_arrays(arrays, splits, facts)
    data = DataSet(**splits, facts=facts)
    how = "arrays in memory" if mode == "arrays" else "streamed with tf.data"
    report(f"data: {describe(data)}, {how} ({size_bytes / 2**20:,.0f} MiB decoded)")
    return data


def describe(data: DataSet) -> str:
    """The data set in one line."""
    facts = data.facts
    kind = "attributes" if data.multi_label else "classes"
    return (
        f"{facts['name']} {facts['version']}, {data.classes} {kind}, "
        f"{facts['train_split']} {facts['train_size']:,}, "
        f"{facts['evaluation_split']} {facts['evaluation_size']:,}, "
        f"{facts['side']} px"
    )


def is_named(name: str, asked: str) -> bool:
    """Whether a data set is the one asked for: with or without config and version."""
    asked = asked.partition(":")[0]
    return name == asked or name.startswith(f"{asked}/")


def _chosen_features(selection):
    """What identifies the images where the data set leaves a choice."""
    return {key: selection[key] for key in _CHOICES if selection.get(key)}


def _sides(base_resolution, image_shape):
    """Input side at rho 1, and the side of the stored images."""
    known = None not in image_shape[:2]
    base_resolution = base_resolution or min([224, *(image_shape[:2] if known else [])])
    stored = math.ceil(base_resolution / 0.875)
    return base_resolution, min(stored, max(image_shape[:2])) if known else stored


def _from_file(path, name, base_resolution, selection):
    splits, facts = load_arrays(path)
    expected = {
        "name": facts["name"] if is_named(facts["name"], name) else name,
        "limit": selection.get("limit"),
        **dict.fromkeys(_CHOICES),
        **_chosen_features(selection),
    }
    version = name.partition(":")[2]
    exact = re.fullmatch(r"\d+\.\d+\.\d+", version)
    optional = {
        "base_resolution": base_resolution,
        "version": version if exact else None,  # there are wildcards too
        **selection,
    }
    for key in ("base_resolution", "version", "train_split", "evaluation_split"):
        if optional.get(key) is not None:
            expected[key] = optional[key]
    for key, value in expected.items():
        if facts.get(key) != value:
            raise ValueError(
                f"arrays file {str(path)!r} holds {key} {facts.get(key)!r}, but "
                f"{value!r} was asked for; choose another file or delete it"
            )
    if facts.get("multi_label") and selection.get("one_class"):
        raise ValueError(
            f"the images must have one class each, but those of {str(path)!r} have any "
            "number of labels"
        )
    return DataSet(
        train=splits["train"],
        evaluation=splits["evaluation"],
        facts={**facts, "class_names": tuple(facts["class_names"])},
    )
