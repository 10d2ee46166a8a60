"""A data set from a folder of photographs: the class is the name of the folder."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Collection
from pathlib import Path

import keras
import numpy as np

from mobilenet_tf.data import storage
from mobilenet_tf.data.arrays import load_arrays, save_arrays
from mobilenet_tf.data.dataset import DataSet, DatasetMetadata, Split
from mobilenet_tf.data.file_split import FileSplit
from mobilenet_tf.data.folder_scan import Listing, scan
from mobilenet_tf.data.splitting import check_split, fingerprint, split_by_content
from mobilenet_tf.models import keras_file


def from_folder(
    path: str | os.PathLike,
    validation: float = 0.1,
    *,
    seed: int = 0,
    base_resolution: int = 224,
    mode: str = "auto",
    memory_budget_bytes: int = storage.MEMORY_BUDGET_BYTES,
    arrays: str | os.PathLike | None = None,
    skip_unreadable: bool = False,
    model: keras.Model | None = None,
    continue_from: keras.Model | None = None,
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
        seed: Seed of that choice. Equal files are always on one side, and most files
            stay on theirs when others are added.
        base_resolution: Input side in pixels at rho 1. Images are stored as squares of
            `base_resolution / 0.875` pixels.
        mode: "arrays" decodes all images into memory once, "stream" decodes them in
            every epoch, "auto" takes arrays where they fit the budget.
        memory_budget_bytes: The most that "auto" puts into memory.
        arrays: File that keeps the decoded images for the next time: read if it exists,
            else written.
        skip_unreadable: Leave out files that cannot be read, with a warning that lists
            them, instead of raising an error.
        model: A network that `mobilenet_tf.fit` has trained. The classes are the
            network's, of which the folder may lack some; the training split is what it
            was trained on, recognised by content, and the validation split all else.
            So a network is never evaluated on its training photographs.
        continue_from: A network that is to be trained further, on a folder that may
            have grown: none of its training photographs is held out. Ignored where
            `train/` and `validation/` exist.
        report: Called with a line that describes the data set.

    Returns:
        The two splits and their metadata. The version is a hash of the files.

    Raises:
        ValueError: There is no such folder, or fewer than two classes; a class has no
            images, or fewer than two to split; files cannot be read; or validation
            photographs are training photographs too, all of which the message names;
            or the arrays file holds something else.
    """
    storage.check_options(base_resolution, mode)
    check_split(validation, seed)
    folder = Path(path)
    if not folder.is_dir():
        raise ValueError(f"path must be an existing folder, got {str(folder)!r}")
    info = None if model is None else keras_file.training_info(model)
    listings = scan(folder, skip_unreadable, info.class_names if info else None)
    names = listings[0].class_names
    evaluation_split = "validation" if len(listings) == 1 else listings[-1].name
    digests = keras_file.train_digests(model)
    if digests or (model is not None and len(listings) == 1):
        listings = _by_training(listings, digests)
    elif len(listings) == 1:
        (whole,) = listings
        trained_on = keras_file.train_digests(continue_from)
        rows = split_by_content(
            whole.digests, whole.labels, names, validation, seed, trained_on
        )
        listings = [whole.at(side.tolist()) for side in rows]
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
    decoded = arrays is not None or storage.in_memory(
        mode, size_bytes, memory_budget_bytes
    )
    digests_of_splits = (tuple(listing.digests) for listing in listings)
    data = DataSet(train, evaluation, metadata, *digests_of_splits)
    if decoded:
        contents = _decoded(train, evaluation, metadata, arrays)
        data = dataclasses.replace(data, train=contents[0], evaluation=contents[1])
    report(f"data: {data.describe()}, {storage.description(size_bytes, decoded)}")
    return data


def _by_training(listings: list[Listing], digests: Collection[str]) -> list[Listing]:
    """What a network was trained on, and all other photographs."""
    first = listings[0]
    whole = dataclasses.replace(
        first,
        files=[file for each in listings for file in each.files],
        labels=[label for each in listings for label in each.labels],
        digests=[digest for each in listings for digest in each.digests],
    )
    known = set(digests)
    trained = [digest in known for digest in whole.digests]
    rows = np.flatnonzero(trained), np.flatnonzero(np.logical_not(trained))
    return [whole.at(part.tolist()) for part in rows]


def _decoded(
    train: FileSplit,
    evaluation: FileSplit,
    metadata: DatasetMetadata,
    path: str | os.PathLike | None,
) -> tuple[Split, Split]:
    """Both splits in memory, from their file of decoded arrays where there is one."""
    if path is None or not Path(path).exists():
        data = DataSet(train.decode(), evaluation.decode(), metadata)
        if path is not None:
            save_arrays(path, data)
        return data.train, data.evaluation
    data = load_arrays(path)
    if data.metadata != metadata:
        raise ValueError(
            f"arrays file {str(path)!r} holds other images, labels or sizes "
            f"({data.describe()}); choose another file or delete it"
        )
    return data.train, data.evaluation
