"""A data set from a folder of photographs: the class is the name of the folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mobilenet_tf.data import storage
from mobilenet_tf.data.dataset import DataSet, DatasetMetadata
from mobilenet_tf.data.file_split import FileSplit
from mobilenet_tf.data.folder_scan import scan
from mobilenet_tf.data.splitting import check_split, fingerprint, split_by_content


def from_folder(
    path: str | os.PathLike,
    validation: float = 0.1,
    *,
    seed: int = 0,
    base_resolution: int = 224,
    mode: str = "auto",
    memory_budget_bytes: int = storage.MEMORY_BUDGET_BYTES,
    skip_unreadable: bool = False,
    report: Callable[[str], None] = print,
) -> DataSet:
    """A folder of photographs, ready for training.

    Each sub-folder is a class and holds its photographs, at any depth: JPEG, PNG, WebP,
    BMP, GIF or TIFF files of any size. Or there are two folders `train/` and
    `validation/` (also `val/`, `valid/` or `test/`) with the same classes in each.
    Hidden files and files of other kinds are passed over.

    Args:
        path: The folder.
        validation: Share of each class that is held out for evaluation, in (0, 1).
            Ignored where `train/` and `validation/` exist.
        seed: Seed of that choice. Equal files are always on one side.
        base_resolution: Input side in pixels at rho 1. Images are stored as squares of
            `base_resolution / 0.875` pixels.
        mode: "arrays" decodes all images into memory once, "stream" decodes them in
            every epoch, "auto" takes arrays where they fit the budget.
        memory_budget_bytes: The most that "auto" puts into memory.
        skip_unreadable: Leave out files that cannot be read, with a warning that lists
            them, instead of raising an error.
        report: Called with a line that describes the data set.

    Returns:
        The two splits and their metadata. The version is a hash of the files.

    Raises:
        ValueError: There is no such folder, or fewer than two classes; a class has no
            images, or fewer than two to split; files cannot be read; or validation
            photographs are training photographs too. The message names them.
    """
    storage.check_options(base_resolution, mode)
    check_split(validation, seed)
    folder = Path(path)
    if not folder.is_dir():
        raise ValueError(f"path must be an existing folder, got {str(folder)!r}")
    listings = scan(folder, skip_unreadable)
    names = listings[0].class_names
    evaluation_split = listings[-1].name
    if len(listings) == 1:
        (whole,) = listings
        rows = split_by_content(whole.digests, whole.labels, names, validation, seed)
        listings = [whole.at(side.tolist()) for side in rows]
        evaluation_split = "validation"
    base_resolution, side = storage.sides(base_resolution, (None, None))
    train, evaluation = (
        FileSplit(tuple(listing.files), np.array(listing.labels, "int64"), side)
        for listing in listings
    )
    metadata = DatasetMetadata(
        name=folder.resolve().name,
        version=fingerprint(
            *(zip(each.digests, each.labels, strict=True) for each in listings)
        ),
        train_split="train",
        evaluation_split=evaluation_split,
        train_size=train.size,
        evaluation_size=evaluation.size,
        class_names=names,
        side=side,
        base_resolution=base_resolution,
    )
    size_bytes = storage.decoded_bytes(train.size + evaluation.size, side)
    decoded = storage.in_memory(mode, size_bytes, memory_budget_bytes)
    data = DataSet(train, evaluation, metadata)
    if decoded:
        data = DataSet(train.decode(), evaluation.decode(), metadata)
    report(f"data: {data.describe()}, {storage.description(size_bytes, decoded)}")
    return data
