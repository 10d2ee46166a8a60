"""ImageNet's own validation photographs inside another TFDS data set.

Data sets made from ImageNet, such as Imagenette, have a few of its classes, and some of
its 50,000 validation images among theirs. On those, a network for all 1000 classes can
be evaluated as it was meant to be.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mobilenet_tf.data.arrays import ArraySplit, Batch
from mobilenet_tf.data.catalogue import open_source
from mobilenet_tf.data.streaming import StreamSplit
from mobilenet_tf.imagenet import wordnet_ids

FILE_NAMES = "ILSVRC2012_val_.*"


def validation_photographs(
    name: str, data_dir: str | None = None, file_key: str = "file_name"
) -> ArraySplit:
    """The photographs of a data set that are of ImageNet's validation set.

    Args:
        name: A TFDS data set whose classes are WordNet ids.
        data_dir: Directory of prepared data sets; None means TFDS' own.
        file_key: The feature that holds the file's name.

    Returns:
        The images at their stored size, labelled with the index among 1000 classes.

    Raises:
        ValueError: The data set has other classes, no file names or no such images.
    """
    source = open_source(name, data_dir)
    index = {wordnet_id: number for number, wordnet_id in enumerate(wordnet_ids())}
    unknown = [label for label in source.class_names if label not in index]
    if unknown:
        raise ValueError(
            f"the classes of data set {name!r} must be WordNet ids of ImageNet's 1000, "
            f"but {unknown[0]!r} is none of them"
        )
    if file_key not in source.builder.info.features:
        raise ValueError(
            f"data set {name!r} has no feature {file_key!r} with the file names; its "
            f"features are {', '.join(source.builder.info.features)}"
        )
    side = max(size or 256 for size in source.image_shape[:2])
    batches = []
    for split in (source.train_split, source.evaluation_split):
        found = source.builder.as_dataset(split=split)
        found = found.filter(
            lambda example: tf.strings.regex_full_match(example[file_key], FILE_NAMES)
        )
        found = found.map(StreamSplit(source, split, side).stored).batch(256)
        batches += [Batch(*batch) for batch in found.as_numpy_iterator()]
    if not batches:
        raise ValueError(f"data set {name!r} has no images named {FILE_NAMES}")
    labels = np.concatenate([batch.labels for batch in batches])
    numbers = np.array([index[label] for label in source.class_names])
    return ArraySplit(
        Batch(
            np.concatenate([batch.images for batch in batches]),
            np.concatenate([batch.aspects for batch in batches]),
            numbers[labels],
        )
    )
