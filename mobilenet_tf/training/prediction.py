"""Photographs in, names of classes and probabilities out."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Iterable, Iterator, Sequence

import keras
import numpy as np
from PIL import Image

from mobilenet_tf import arguments
from mobilenet_tf.data import photographs as reader
from mobilenet_tf.data.boxes import central_boxes
from mobilenet_tf.data.storage import CENTRAL_FRACTION, stored
from mobilenet_tf.models import graph, imagenet, keras_file
from mobilenet_tf.training import checks, inference
from mobilenet_tf.training.cropping import crop_resize

Photograph = str | os.PathLike | np.ndarray | Image.Image
_BATCH_SIZE = 32
_SHOWN = 3


@dataclasses.dataclass(frozen=True, eq=False)
class Prediction:
    """The classes of one photograph.

    Attributes:
        class_names: Names of all classes, the most probable first.
        probabilities: float32 `(classes,)`, in the same order. They sum to 1, unless
            the network is a multi-label classifier.
    """

    class_names: tuple[str, ...]
    probabilities: np.ndarray

    @property
    def class_name(self) -> str:
        """The most probable class."""
        return self.class_names[0]

    @property
    def probability(self) -> float:
        """Of the most probable class."""
        return float(self.probabilities[0])

    def __str__(self) -> str:
        pairs = zip(self.class_names, self.probabilities, strict=True)
        return ", ".join(
            f"{name} {100 * share:.1f} %" for name, share in list(pairs)[:_SHOWN]
        )


def predict(
    model: keras.Model,
    photographs: Photograph | Iterable[Photograph],
    *,
    class_names: Sequence[str] | None = None,
    input_range: tuple[float, float] | None = None,
) -> list[Prediction]:
    """Classify photographs, prepared as for `mobilenet_tf.evaluate`.

    Args:
        model: A classifier with any head.
        photographs: One or many of any sizes: paths of image files, arrays uint8
            `(height, width, 3)`, or images of PIL.
        class_names: Names in index order; None means those that `mobilenet_tf.fit` or
            `mobilenet_tf.load_model` has noted, else the WordNet ids for 1000 classes,
            else the numbers.
        input_range: What the model expects of black and of white; None means what its
            layers tell, see `mobilenet_tf.models.graph.input_range`.

    Returns:
        A prediction for each photograph.

    Raises:
        ValueError: An argument does not fit, or a file cannot be read, which the
            message names.
    """
    arguments.instance("model", model, keras.Model)
    checks.shape(model)
    flat = graph.flatten(model)
    head = graph.head(flat)
    if head is None:
        raise ValueError(f"model must be a classifier, got {model.name!r}")
    names = _names(model, head.classes, class_names)
    expected = checks.input_range(flat, input_range)
    side = flat.input_shape[1]
    predictions = []
    batches = _batches(_listed(photographs), math.ceil(side / CENTRAL_FRACTION))
    scores_of = inference.Outputs(flat)
    for images in batches:
        boxes = central_boxes(len(images), CENTRAL_FRACTION)
        inputs = crop_resize(images, boxes, side, expected)
        scores = scores_of(inputs)
        if head.activation == "linear":
            scores = keras.ops.convert_to_numpy(keras.ops.softmax(scores))
        for row in scores:
            order = np.argsort(-row, kind="stable")
            predictions.append(Prediction(tuple(names[i] for i in order), row[order]))
    return predictions


def _names(
    model: keras.Model, classes: int, given: Sequence[str] | None
) -> Sequence[str]:
    if given is None:
        given = keras_file.class_names(model)
    if given is None:
        whole = classes == imagenet.CLASSES
        return imagenet.wordnet_ids() if whole else [str(n) for n in range(classes)]
    if isinstance(given, str) or len(given) != classes:
        raise ValueError(
            f"class_names must be {classes} names, one for each class of the model, "
            f"got {given!r}"
        )
    return given


def _listed(photographs: Photograph | Iterable[Photograph]) -> Iterable[Photograph]:
    if isinstance(photographs, np.ndarray):
        return list(photographs) if photographs.ndim == 4 else [photographs]
    if isinstance(photographs, str | os.PathLike | Image.Image):
        return [photographs]
    return photographs


def _batches(photographs: Iterable[Photograph], side: int) -> Iterator[np.ndarray]:
    """Photographs as they are stored, uint8 `(n, side, 3, side)`."""
    batch = []
    for photograph in photographs:
        batch.append(stored(_pixels(photograph, side), side))
        if len(batch) == _BATCH_SIZE:
            yield np.stack(batch)
            batch = []
    if batch:
        yield np.stack(batch)


def _pixels(photograph: Photograph, side: int) -> np.ndarray:
    if isinstance(photograph, str | os.PathLike):
        return reader.read_image(photograph, minimum_side=2 * side)
    if isinstance(photograph, Image.Image):
        return reader.from_pil(photograph)
    dtype = getattr(photograph, "dtype", type(photograph).__name__)
    shape: tuple[int, ...] = getattr(photograph, "shape", ())
    if dtype != "uint8" or len(shape) != 3 or shape[-1] != 3 or 0 in shape:
        raise ValueError(
            "photographs must be paths, images of PIL or arrays uint8 of shape "
            f"(height, width, 3), got {dtype} {shape}"
        )
    return photograph
