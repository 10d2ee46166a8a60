"""The types that every source of images gives: batches, splits, metadata, data set.

Needs numpy only.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

# Present in the JSON form only where they say something.
_OPTIONAL = ("image_key", "label_key", "to_rgb", "unlabelled", "multi_label")


@dataclasses.dataclass(frozen=True)
class Batch:
    """Images as stored, before cropping.

    Attributes:
        images: uint8 `(n, S, 3, S)`: row, channel, column; the whole image scaled to a
            square of S pixels.
        aspects: float32 `(n,)`, width / height of each original image.
        labels: int64 `(n,)`, classes, -1 for unlabelled images; or `(n, attributes)` of
            0 and 1 in multi-label data sets.
    """

    images: np.ndarray
    aspects: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


@dataclasses.dataclass(frozen=True)
class Share:
    """Which part of every batch a process reads, of several that train together.

    Attributes:
        index: Number of the process, from 0.
        count: Number of processes; each reads as many images as the others.
    """

    index: int = 0
    count: int = 1

    def rows(self, size: int) -> slice:
        """The rows of this process in a batch of `size` images."""
        part = size // self.count
        return slice(self.index * part, (self.index + 1) * part)


WHOLE = Share()


class Split(Protocol):
    """What training and evaluation need of a split."""

    @property
    def size(self) -> int:
        """Number of images."""

    def epoch(
        self,
        batch_size: int,
        seed: Any = None,
        share: Share = WHOLE,
        stratified: bool = False,
    ) -> Iterator[Batch]:
        """The split once: shuffled full batches with a seed, else all in order.

        With a seed, a process may read its share of every batch alone, and each class
        may be spread evenly over the batches.
        """


@dataclasses.dataclass(frozen=True)
class DatasetMetadata:
    """What identifies a data set; records and snapshots hold its JSON form.

    Attributes:
        name: Name of the data set, with its config where there is one.
        version: TFDS version, or the hash of the images and labels.
        train_split: Name of the split that is trained on.
        evaluation_split: Name of the split that is evaluated.
        train_size: Number of training images.
        evaluation_size: Number of evaluation images.
        class_names: Names of the classes or attributes in index order.
        side: Side in pixels of the stored square images.
        base_resolution: Input side in pixels at rho 1.
        limit: The most images of each split; None for all.
        image_key: Image feature, where it was chosen.
        label_key: Label feature, where it was chosen.
        to_rgb: Whether images of one or four channels are converted to three.
        unlabelled: Whether the labels are left out or there are none.
        multi_label: Whether images are multi-label: with any number of classes each.
    """

    name: str
    version: str
    train_split: str
    evaluation_split: str
    train_size: int
    evaluation_size: int
    class_names: tuple[str, ...]
    side: int
    base_resolution: int
    limit: int | None = None
    image_key: str | None = None
    label_key: str | None = None
    to_rgb: bool = False
    unlabelled: bool = False
    multi_label: bool = False

    def to_json(self) -> dict[str, Any]:
        """A JSON dictionary; options that are not used are absent."""
        values = dataclasses.asdict(self)
        values["class_names"] = list(self.class_names)
        return {
            key: value for key, value in values.items() if key not in _OPTIONAL or value
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> DatasetMetadata:
        """The metadata from what `to_json` gave.

        Raises:
            ValueError: A key is missing or unknown.
        """
        try:
            return cls(**{**values, "class_names": tuple(values["class_names"])})
        except (KeyError, TypeError) as error:
            raise ValueError(f"no metadata of a data set: {error}") from error


@dataclasses.dataclass(frozen=True)
class DataSet:
    """Images to train on, images to evaluate, and what identifies them.

    Attributes:
        train: The split that is trained on.
        evaluation: The split that is evaluated.
        metadata: Name, version, sizes, classes, resolution.
        train_digests: SHA-256 of each training file, where the images are files.
        evaluation_digests: The same of the files to evaluate.
    """

    train: Split
    evaluation: Split
    metadata: DatasetMetadata
    train_digests: tuple[str, ...] = ()
    evaluation_digests: tuple[str, ...] = ()

    @property
    def classes(self) -> int:
        """Number of classes or attributes."""
        return len(self.metadata.class_names)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes or attributes in index order."""
        return self.metadata.class_names

    @property
    def multi_label(self) -> bool:
        """Whether images are multi-label: with any number of classes each."""
        return self.metadata.multi_label

    @property
    def unlabelled(self) -> bool:
        """Whether the images have no labels."""
        return self.metadata.unlabelled

    @property
    def side(self) -> int:
        """Side in pixels of the stored images."""
        return self.metadata.side

    def describe(self) -> str:
        """The data set in one line."""
        metadata = self.metadata
        kind = "attributes" if self.multi_label else "classes"
        return (
            f"{metadata.name} {metadata.version}, {self.classes} {kind}, "
            f"{metadata.train_split} {metadata.train_size:,}, "
            f"{metadata.evaluation_split} {metadata.evaluation_size:,}, "
            f"{metadata.side} px"
        )


def is_named(name: str, requested: str) -> bool:
    """Whether a data set has a name: with or without TFDS config and version."""
    requested = requested.partition(":")[0]
    return name == requested or name.startswith(f"{requested}/")
