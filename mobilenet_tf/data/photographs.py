"""Photographs with their class among ImageNet's 1000, to evaluate published weights on.

They come from `imagenet2012`; from a data set made of some of its classes, of which
only the images of ImageNet's own validation set count; or from a folder.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import tensorflow as tf

from mobilenet_tf.data.catalogue import open_source
from mobilenet_tf.models.imagenet import wordnet_ids

FILE_NAMES = "ILSVRC2012_val_.*"
_SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclasses.dataclass(frozen=True)
class Photographs:
    """Images of any size with their classes.

    Attributes:
        images: Elements `(uint8 (H, W, 3), int64 class from 0 to 999)`.
        name: Where they are from.
    """

    images: tf.data.Dataset
    name: str


def from_tfds(
    name: str, data_dir: str | None = None, file_key: str = "file_name"
) -> Photographs:
    """The validation photographs of a TFDS data set whose classes are WordNet ids.

    Of `imagenet2012` that is the evaluation split; of any other data set, the images of
    both splits whose file is named as one of ImageNet's validation set.

    Raises:
        ValueError: The data set has other classes or no file names.
    """
    source = open_source(name, data_dir, one_class=True)
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
        found = builder.as_dataset(split=source.evaluation_split)
    elif file_key in builder.info.features:
        found = builder.as_dataset(split=source.train_split)
        found = found.concatenate(builder.as_dataset(split=source.evaluation_split))
        found = found.filter(
            lambda example: tf.strings.regex_full_match(example[file_key], FILE_NAMES)
        )
    else:
        raise ValueError(
            f"data set {name!r} has no feature {file_key!r} with the file names; its "
            f"features are {', '.join(builder.info.features)}"
        )
    images = found.map(
        lambda example: (
            example[source.image_key],
            tf.gather(numbers, source.labels.of(example)),
        )
    )
    return Photographs(images, f"{source.name} {source.version}")


def from_folder(path: str | Path) -> Photographs:
    """The JPEG and PNG files in folders that are named by WordNet id.

    Raises:
        ValueError: There is no such folder, or none with images in it.
    """
    folder = Path(path)
    classes = {wordnet_id: number for number, wordnet_id in enumerate(wordnet_ids())}
    found = [
        (str(file), classes[file.parent.name])
        for file in sorted(folder.glob("*/*"))
        if file.suffix.lower() in _SUFFIXES and file.parent.name in classes
    ]
    if not found:
        raise ValueError(
            f"image_dir must hold folders named by WordNet id, as n01440764, with "
            f"{', '.join(_SUFFIXES)} files; got {str(path)!r}"
        )
    files, labels = zip(*found, strict=True)
    images = tf.data.Dataset.from_tensor_slices((list(files), list(labels))).map(
        lambda file, label: (
            tf.io.decode_image(tf.io.read_file(file), 3, expand_animations=False),
            tf.cast(label, tf.int64),
        ),
        tf.data.AUTOTUNE,
    )
    return Photographs(images, folder.name)
