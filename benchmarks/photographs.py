"""Photographs to measure exported files on, and others to calibrate them on."""

import numpy as np

from mobilenet_tf.data import photographs
from mobilenet_tf.data.catalogue import open_source


def real_photographs(
    dataset: str, data_dir: str | None, others: int = 200
) -> tuple[list[np.ndarray], list[int], list[np.ndarray]]:
    """ImageNet's validation images in a data set, their classes, and other images."""
    found = photographs.from_tfds(dataset, data_dir).images.as_numpy_iterator()
    proof, classes = zip(*found, strict=True)
    builder = open_source(dataset, data_dir).builder
    examples = builder.as_dataset(split=f"train[:{others}]").as_numpy_iterator()
    rest = [
        example["image"]
        for example in examples
        if not example["file_name"].startswith(b"ILSVRC2012_val")
    ]
    return list(proof), [int(one) for one in classes], rest
