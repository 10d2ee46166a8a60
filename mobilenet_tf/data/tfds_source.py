"""A data set from TensorFlow Datasets, or from its file of decoded arrays."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from mobilenet_tf.data import storage
from mobilenet_tf.data.arrays import load_arrays, save_arrays
from mobilenet_tf.data.dataset import DataSet, DatasetMetadata
from mobilenet_tf.data.tfds_selection import Selection


def from_tfds(
    name: str,
    data_dir: str | None = None,
    *,
    base_resolution: int | None = None,
    mode: str = "auto",
    memory_budget_bytes: int = storage.MEMORY_BUDGET_BYTES,
    arrays: str | os.PathLike | None = None,
    report: Callable[[str], None] = print,
    train_split: str | None = None,
    evaluation_split: str | None = None,
    image_key: str | None = None,
    label_key: str | None = None,
    limit: int | None = None,
    to_rgb: bool = False,
    unlabelled: bool = False,
    single_label: bool = False,
    download: bool = True,
) -> DataSet:
    """A TFDS data set of images, ready for training.

    Images are stored as squares of `base_resolution / 0.875` pixels, or of their own
    size where that is smaller: enough for the central crop at full resolution.

    Args:
        name: TFDS name, `name`, `name/config` or `name/config:version`; prepared where
            it is not.
        data_dir: Directory of prepared data sets; None means TFDS' own.
        base_resolution: Input side in pixels at rho 1; None means 224, or the side of
            the images where all have one that is smaller.
        mode: "arrays" decodes all images into memory once, "stream" decodes them in
            every epoch, "auto" takes arrays where they fit the budget.
        memory_budget_bytes: The most that "auto" puts into memory.
        arrays: File of decoded arrays: read if it exists, else written. With an
            existing file neither TensorFlow nor TFDS is needed.
        report: Called with a line that describes the data set.
        train_split: TFDS split to train on; None means "train".
        evaluation_split: TFDS split to evaluate; None means the first of "validation",
            "test", "val" and "valid" that exists.
        image_key: Image feature; None means the only one, or "image".
        label_key: Label feature: a ClassLabel; or, for multi-label data sets, a
            sequence of ClassLabel or a dictionary of booleans. None means the only
            ClassLabel, or else the only one of the others.
        limit: Use only the first so many images of both splits.
        to_rgb: Repeat a grey channel and drop an alpha channel.
        unlabelled: Use the images without their labels.
        single_label: Reject multi-label data sets.
        download: Prepare a data set that is not prepared: download or draw it. False
            is an error then, as in `tfds.load`.

    Returns:
        The two splits and their metadata.

    Raises:
        ValueError: There is no such data set, split or feature; a split is empty or
            damaged; training and evaluation images overlap; the images do not have 8
            bits or three channels; or the arrays file holds something else.
    """
    storage.check_options(base_resolution, mode)
    selection = Selection(
        train_split,
        evaluation_split,
        image_key,
        label_key,
        limit,
        to_rgb,
        unlabelled,
        single_label,
    )
    if arrays is not None and Path(arrays).is_dir():
        raise ValueError(f"arrays must be a file, got the folder {str(arrays)!r}")
    if arrays is not None and Path(arrays).exists():
        data = load_arrays(arrays)
        selection.check_file(str(arrays), data.metadata, name, base_resolution)
        report(f"data: {data.describe()}, arrays from {arrays}")
        return data

    # TensorFlow and TFDS are imported only where they are needed.
    from mobilenet_tf.data.tfds_catalogue import open_source
    from mobilenet_tf.data.tfds_stream import StreamSplit

    source = open_source(name, data_dir, selection, download=download)
    base_resolution, side = storage.sides(base_resolution, source.image_shape[:2])
    train = StreamSplit(source, source.train_split, side)
    evaluation = StreamSplit(source, source.evaluation_split, side)
    metadata = DatasetMetadata(
        name=source.name,
        version=source.version,
        train_split=source.train_split,
        evaluation_split=source.evaluation_split,
        train_size=train.size,
        evaluation_size=evaluation.size,
        class_names=source.labels.names,
        side=side,
        base_resolution=base_resolution,
        limit=limit,
        image_key=image_key,
        label_key=label_key,
        to_rgb=to_rgb,
        unlabelled=unlabelled,
        multi_label=source.labels.multi_label,
    )
    size_bytes = storage.decoded_bytes(train.size + evaluation.size, side)
    decoded = arrays is not None or storage.in_memory(
        mode, size_bytes, memory_budget_bytes
    )
    data = DataSet(train, evaluation, metadata)
    if decoded:
        data = DataSet(train.decode(), evaluation.decode(), metadata)
    if arrays is not None:
        save_arrays(arrays, data)
    report(f"data: {data.describe()}, {storage.description(size_bytes, decoded)}")
    return data
