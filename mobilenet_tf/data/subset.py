"""A few training images of each class: what a user with few photographs has."""

from __future__ import annotations

import dataclasses

import numpy as np

from mobilenet_tf import arguments
from mobilenet_tf.data.arrays import ArraySplit
from mobilenet_tf.data.dataset import Batch, DataSet


def few_of_each_class(data: DataSet, images: int, seed: int = 0) -> DataSet:
    """The data set with at most so many training images of each class.

    Args:
        data: Its training images are in memory, and each has one class.
        images: Of each class, >= 1; of a class that has fewer, all.
        seed: Seed of the choice.

    Returns:
        A data set with the same evaluation images; its version says what was chosen.

    Raises:
        ValueError: An argument is out of its range.
    """
    arguments.integer("images", images)
    if data.multi_label or data.unlabelled:
        raise ValueError("the images of the data set must have one class each")
    if not isinstance(data.train, ArraySplit):
        raise ValueError(f"data must be in memory (mode='arrays'), got {data.train!r}")
    contents = data.train.contents
    rng = np.random.default_rng([seed, images])
    rows = np.concatenate(
        [
            rng.permutation(np.flatnonzero(contents.labels == label))[:images]
            for label in range(data.classes)
        ]
    )
    batch = Batch(contents.images[rows], contents.aspects[rows], contents.labels[rows])
    metadata = dataclasses.replace(
        data.metadata,
        version=f"{data.metadata.version}, {images} a class, seed {seed}",
        train_size=len(batch),
    )
    return dataclasses.replace(data, train=ArraySplit(batch), metadata=metadata)
