"""Decoded images in memory, and the file they are kept in.

Needs numpy only: with the file, training runs on a machine without TensorFlow.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf import files
from mobilenet_tf.data.dataset import WHOLE, Batch, DataSet, DatasetMetadata, Share
from mobilenet_tf.files import archive

FORMAT = 1
_FIELDS = ("images", "aspects", "labels")


@dataclasses.dataclass(frozen=True)
class ArraySplit:
    """A split whose decoded images are in memory."""

    contents: Batch

    @classmethod
    def from_batches(cls, size: int, batches: Iterable[Batch]) -> ArraySplit:
        """All images of so many batches; `size` is their number."""
        contents: dict[str, np.ndarray] = {}
        start = 0
        for batch in batches:
            for field in _FIELDS:
                part = getattr(batch, field)
                if not start:
                    contents[field] = np.empty((size, *part.shape[1:]), part.dtype)
                contents[field][start : start + len(batch)] = part
            start += len(batch)
        return cls(Batch(**contents))

    @property
    def size(self) -> int:
        """Number of images."""
        return len(self.contents)

    def epoch(
        self,
        batch_size: int,
        seed: Any = None,
        share: Share = WHOLE,
        stratified: bool = False,
    ) -> Iterator[Batch]:
        """The split once: shuffled full batches with a seed, else all in order."""
        labels = self.contents.labels
        for rows in batch_rows(labels, batch_size, seed, share, stratified):
            yield Batch(*(getattr(self.contents, field)[rows] for field in _FIELDS))


def batch_rows(
    labels: np.ndarray,
    batch_size: int,
    seed: Any = None,
    share: Share = WHOLE,
    stratified: bool = False,
) -> Iterator[np.ndarray]:
    """The indices of an epoch's batches: shuffled and full with a seed.

    Args:
        labels: Of all images.
        batch_size: Images in a batch.
        seed: Of the order; None keeps the images as they are.
        share: The part of every batch that is read.
        stratified: Whether each class is spread evenly over the shuffled batches.

    Raises:
        ValueError: Batches of multi-label images are to be stratified.
    """
    if stratified and labels.ndim > 1:
        raise ValueError("stratified must be False for multi-label images, got True")
    size = stop = len(labels)
    order = np.arange(size)
    if seed is not None:
        rng = np.random.default_rng(seed)
        order = rng.permutation(size)
        if stratified:
            order = order[_evenly(labels[order], rng)]
        stop -= size % batch_size
    for start in range(0, stop, batch_size):
        rows = order[start : start + batch_size]
        yield rows[share.rows(len(rows))]


def _evenly(labels, rng):
    """An order in which the k-th image of n of a class is in the k-th of n parts."""
    _, kinds, counts = np.unique(labels, return_inverse=True, return_counts=True)
    ranks = np.empty(len(labels))
    firsts = np.repeat(np.cumsum(counts) - counts, counts)
    ranks[np.argsort(kinds, kind="stable")] = np.arange(len(labels)) - firsts
    return np.argsort((ranks + rng.random(len(labels))) / counts[kinds])


def save_arrays(path: str | os.PathLike, data: DataSet) -> None:
    """Write a data set whose splits are in memory to an `.npz` file, atomically.

    Raises:
        ValueError: A split is not in memory.
    """
    path = Path(path)
    arrays = {}
    for name, split in (("train", data.train), ("evaluation", data.evaluation)):
        if not isinstance(split, ArraySplit):
            raise ValueError(f"data must be in memory (mode='arrays'), got {split!r}")
        for field in _FIELDS:
            arrays[f"{name}_{field}"] = getattr(split.contents, field)
    files.make_folder(path.parent)
    header = {"format": FORMAT, **data.metadata.to_json()}
    archive.save_arrays(path, arrays, header)


def load_arrays(path: str | os.PathLike) -> DataSet:
    """Read what `save_arrays` wrote.

    Raises:
        ValueError: The file is damaged or is not such a file.
    """
    try:
        arrays, header = archive.load_arrays(path)
        if header.pop("format", None) != FORMAT:
            raise ValueError(f"its format must be {FORMAT}")
        metadata = DatasetMetadata.from_json(header)
        train = _split(arrays, "train", metadata.train_size, metadata)
        evaluation = _split(arrays, "evaluation", metadata.evaluation_size, metadata)
        return DataSet(train, evaluation, metadata)
    except ValueError as error:
        raise ValueError(
            f"arrays must be a file that save_arrays wrote, but {str(path)!r} cannot "
            f"be read ({error}); delete it to have it made again"
        ) from error


def _split(
    arrays: dict[str, np.ndarray], name: str, size: int, metadata: DatasetMetadata
) -> ArraySplit:
    """A split of a file, as large as its metadata says."""
    side, attributes = metadata.side, (len(metadata.class_names),)
    expected = {
        "images": ("uint8", (size, side, 3, side)),
        "aspects": ("float32", (size,)),
        "labels": ("int64", (size, *attributes) if metadata.multi_label else (size,)),
    }
    parts = []
    for field in _FIELDS:
        part = arrays.get(f"{name}_{field}")
        if part is None:
            raise ValueError(f"it has no {name}_{field}")
        if (part.dtype, part.shape) != expected[field]:
            raise ValueError(
                f"{name}_{field} must be {' '.join(map(str, expected[field]))}, got "
                f"{part.dtype} {part.shape}"
            )
        parts.append(part)
    return ArraySplit(Batch(*parts))
