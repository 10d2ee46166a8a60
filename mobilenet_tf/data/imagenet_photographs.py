"""Photographs labelled with ImageNet's 1000 classes, to evaluate published weights on.

They come from `imagenet2012`; from a data set of some of its classes, of which only the
images of ImageNet's own validation set are taken; or from a folder.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import tensorflow as tf

from mobilenet_tf.data.photographs import image_files, read_image, unreadable
from mobilenet_tf.data.tfds_catalogue import open_source
from mobilenet_tf.data.tfds_selection import Selection
from mobilenet_tf.models.imagenet import wordnet_ids

VALIDATION_FILES = "ILSVRC2012_val_.*"


@dataclasses.dataclass(frozen=True)
class Photographs:
    """Images of any size with their classes.

    Attributes:
        images: Elements `(uint8 (H, W, 3), int64 class from 0 to 999)`.
        name: Name of the data set or folder.
    """

    images: tf.data.Dataset
    name: str


def from_tfds(
    name: str, data_dir: str | None = None, file_key: str = "file_name"
) -> Photographs:
    """The validation photographs of a TFDS data set whose classes are WordNet ids.

    Of `imagenet2012` that is the evaluation split; of any other data set, the images of
    both splits whose file is named like one of ImageNet's validation set.

    Args:
        name: TFDS name of the data set.
        data_dir: Directory of prepared data sets; None means TFDS' own.
        file_key: Feature that holds the file name of an image.

    Raises:
        ValueError: The data set has other classes or no file names.
    """
    source = open_source(name, data_dir, Selection(single_label=True))
    builder = source.builder
    index = {wordnet_id: number for number, wordnet_id in enumerate(wordnet_ids())}
    unknown = [label for label in source.labels.names if label not in index]
    if unknown:
        raise ValueError(
            f"the classes of data set {name!r} must be WordNet ids of ImageNet's 1000, "
            f"but {unknown[0]!r} is none of them"
        )
    numbers = tf.constant([index[label] for label in source.labels.names], tf.int64)
    if builder.info.name == "imagenet2012":
        examples = builder.as_dataset(split=source.evaluation_split)
    elif file_key in builder.info.features:
        examples = builder.as_dataset(split=source.train_split)
        examples = examples.concatenate(
            builder.as_dataset(split=source.evaluation_split)
        )
        examples = examples.filter(
            lambda example: tf.strings.regex_full_match(
                example[file_key], VALIDATION_FILES
            )
        )
    else:
        raise ValueError(
            f"data set {name!r} has no feature {file_key!r} with the file names; its "
            f"features are {', '.join(builder.info.features)}"
        )
    images = examples.map(
        lambda example: (
            example[source.image_key],
            tf.gather(numbers, source.labels.of(example)),
        )
    )
    return Photographs(images, f"{source.name} {source.version}")


def from_folder(path: str | os.PathLike) -> Photographs:
    """The image files in folders that are named by WordNet id.

    Raises:
        ValueError: There is no such folder, none with images in it, or a file cannot be
            read; the message names all such files.
    """
    folder = Path(path)
    classes = {wordnet_id: number for number, wordnet_id in enumerate(wordnet_ids())}
    labels = {
        file: classes[subfolder.name]
        for subfolder in sorted(folder.glob("n*"))
        if subfolder.name in classes and subfolder.is_dir()
        for file in image_files(subfolder)
    }
    if not labels:
        raise ValueError(
            "image_dir must hold folders named by WordNet id, as n01440764, with image "
            f"files; got {str(path)!r}"
        )
    problems = unreadable(list(labels))
    if problems:
        raise ValueError("\n".join(problems.values()))
    images = tf.data.Dataset.from_tensor_slices(
        ([str(file) for file in labels], list(labels.values()))
    ).map(lambda file, label: (_read(file), tf.cast(label, tf.int64)), tf.data.AUTOTUNE)
    return Photographs(images, folder.name)


def _read(file: tf.Tensor) -> tf.Tensor:
    """`read_image` in a `tf.data` pipeline."""
    pixels = tf.numpy_function(
        lambda path: read_image(os.fsdecode(path)), [file], tf.uint8
    )
    return tf.ensure_shape(pixels, (None, None, 3))
