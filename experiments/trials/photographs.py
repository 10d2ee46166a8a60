"""Real photographs to verify exported files with, and others to calibrate them with."""

import numpy as np

from mobilenet_tf.data import imagenet_photographs
from mobilenet_tf.data.tfds_catalogue import open_source


def real_photographs(
    dataset: str, data_dir: str | None, others: int = 200
) -> tuple[list[np.ndarray], list[int], list[np.ndarray]]:
    """ImageNet's validation images in a data set, their classes, and other images.

    Args:
        dataset: TFDS name of a data set whose classes are WordNet ids.
        data_dir: Directory of TFDS data sets.
        others: Read so many training images and keep those that are not of ImageNet's
            validation set.

    Returns:
        The validation images, uint8 `(H, W, 3)`; their classes from 0 to 999; the other
        images.

    Raises:
        ValueError: The data set has other classes, or no image of that set.
    """
    validation = imagenet_photographs.from_tfds(dataset, data_dir).images
    found = list(validation.as_numpy_iterator())
    if not found:
        raise ValueError(
            "dataset must have images of ImageNet's validation set, by the names of "
            f"their files, got {dataset!r}"
        )
    images, classes = zip(*found, strict=True)
    builder = open_source(dataset, data_dir).builder
    examples = builder.as_dataset(split=f"train[:{others}]").as_numpy_iterator()
    rest = [
        example["image"]
        for example in examples
        if not example["file_name"].startswith(b"ILSVRC2012_val")
    ]
    return list(images), [int(label) for label in classes], rest
