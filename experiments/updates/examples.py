"""Images that int8 is calibrated on, and others that networks are evaluated on."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from experiments.trials.photographs import real_photographs
from experiments.updates.stories import contents_of
from mobilenet_tf import training
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.data.preprocessing import Preprocessing
from mobilenet_tf.training.evaluation import evaluate_batches

CALIBRATION_IMAGES = 200
_BATCH = 64


@dataclasses.dataclass(frozen=True)
class Examples:
    """Images, uint8 `(H, W, 3)` of any sizes.

    Attributes:
        images: Those to evaluate on.
        classes: The true class of each of them.
        calibration: Others, which determine the ranges of int8.
        description: Which images they are, for records.
        data: The data set, where they are of its own classes.
    """

    images: Sequence[np.ndarray]
    classes: Sequence[int]
    calibration: Sequence[np.ndarray]
    description: dict[str, Any]
    data: DataSet | None = None

    @classmethod
    def of_data(cls, data: DataSet) -> Examples:
        """The evaluation split, and the first images of the training split."""
        return cls(
            _images(data.evaluation),
            contents_of(data.evaluation).labels.tolist(),
            _images(data.train)[:CALIBRATION_IMAGES],
            data.metadata.to_json(),
            data,
        )

    @classmethod
    def of_imagenet(cls, dataset: str, data_dir: str | None) -> Examples:
        """ImageNet's validation photographs in a data set, under its 1,000 classes.

        Args:
            dataset: TFDS name of a data set whose classes are WordNet ids.
            data_dir: Directory of TFDS data sets.

        Raises:
            ValueError: The data set has other classes, or no image of that set.
        """
        images, classes, others = real_photographs(
            dataset, data_dir, CALIBRATION_IMAGES
        )
        description = {
            "name": dataset,
            "imagenet_validation_images": len(images),
            "calibration_images": len(others),
        }
        return cls(images, classes, others, description)

    def top1(self, model: keras.Model) -> float:
        """Top-1 of a network, to whose input the images are resized."""
        if self.data is not None:
            return training.evaluate(model, self.data).top1
        return evaluate_batches(model, self._batches(model.input_shape[1])).top1

    def _batches(self, side: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        resized = Preprocessing()
        for start in range(0, len(self.images), _BATCH):
            part = slice(start, start + _BATCH)
            inputs = [resized.apply(image, side) for image in self.images[part]]
            yield np.stack(inputs), np.array(self.classes[part])


def _images(split):
    # Arrays keep the colours between rows and columns.
    return list(np.moveaxis(contents_of(split).images, 2, 3))
