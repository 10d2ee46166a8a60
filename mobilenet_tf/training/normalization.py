"""Batch normalisation of networks from files, made ready for training."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from mobilenet_tf.data.boxes import central_boxes
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.models import graph
from mobilenet_tf.training import checks
from mobilenet_tf.training.cropping import CropResize

if TYPE_CHECKING:
    import tensorflow as tf

IMAGES = 128
_BATCH, _BATCHES = 64, 16  # of `estimate_statistics`


def recalibrate_batch_norm(
    model: keras.Model,
    images: np.ndarray | tf.data.Dataset | DataSet,
    *,
    seed: int = 0,
    input_range: tuple[float, float] | None = None,
) -> None:
    """Give batch normalisation the statistics of images; outputs stay the same.

    In some files it is merged into the convolutions: mean 0, variance 1. In training a
    layer normalises by the statistics of its batch instead, which would destroy such a
    network. Scale and offset are changed along with the statistics, so that the network
    computes the same, in training too. A network without batch normalisation is left
    unchanged.

    Args:
        model: A classifier or feature extractor that takes `(side, side, 3)`, with
            trained weights, with or without models inside it.
        images: The images that it will be trained on, of which at most 128 are used: an
            array `(images, side, side, 3)` as the model takes it; a `tf.data.Dataset`
            of such batches, with labels or without; or a data set.
        seed: Seed of the choice of images from a data set.
        input_range: For a data set, the model's inputs for black and for white; None
            reads them from its layers.

    Raises:
        ValueError: There are no images, or not of the model's shape.
    """
    flat = graph.flatten(model)
    layers = _batch_normalizations(flat)
    if not layers:
        return
    inputs = _inputs(flat, images, seed, input_range)
    moments = keras.Model(
        flat.input, [keras.ops.moments(layer.input, (0, 1, 2)) for layer in layers]
    )
    for layer, (mean, variance) in zip(layers, moments(inputs), strict=True):
        mean, variance = map(keras.ops.convert_to_numpy, (mean, variance))
        gamma, beta, old_mean, old_variance = layer.get_weights()
        scale = gamma / np.sqrt(old_variance + layer.epsilon)
        gamma = scale * np.sqrt(variance + layer.epsilon)
        layer.set_weights([gamma, beta + scale * (mean - old_mean), mean, variance])
    if flat is not model:
        graph.copy_weights(flat, model)


def estimate_statistics(
    model: keras.Model,
    data: DataSet,
    *,
    central_fraction: float = 1.0,
    seed: int = 0,
    input_range: tuple[float, float] | None = None,
) -> None:
    """Give batch normalisation the mean and variance of what reaches it now.

    After a training whose kernels were changed, as by rounding, the moving statistics
    are those of other features. Scale and offset stay, so outputs change. A network
    without batch normalisation is left unchanged.

    Args:
        model: A flat classifier.
        data: The data set that it was trained on, of which at most 1,024 images are
            used.
        central_fraction: Side of the central crop, as a fraction of the image's.
        seed: Seed of the choice of images.
        input_range: The model's inputs for black and for white; None reads them from
            its layers.
    """
    layers = [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    if not layers:
        return
    crop = CropResize(model.input_shape[1], checks.input_range(model, input_range))
    size = min(_BATCH, data.train.size)
    batches = data.train.epoch(size, seed=[seed, 0, 0])
    average_statistics(
        model,
        layers,
        (
            crop([batch.images, central_boxes(len(batch), central_fraction)])
            for batch in itertools.islice(batches, _BATCHES)
        ),
    )


def average_statistics(
    model: keras.Model,
    layers: Sequence[keras.layers.BatchNormalization],
    inputs: Iterable[Any],
) -> None:
    """Give batch normalisation the plain mean of the statistics of some batches.

    Args:
        model: The network.
        layers: Its layers of batch normalisation; they keep their momentum.
        inputs: Batches as the model takes them, at least one.
    """
    momentums = [layer.momentum for layer in layers]
    for number, batch in enumerate(inputs):
        for layer in layers:
            layer.momentum = number / (number + 1)
        model(batch, training=True)
    for layer, momentum in zip(layers, momentums, strict=True):
        layer.momentum = momentum


def _inputs(model, images, seed, input_range):
    """At most `IMAGES` images as the model takes them."""
    if isinstance(images, DataSet):
        count = min(IMAGES, images.train.size)
        batch = next(iter(images.train.epoch(count, seed=[seed, 0, 0])))
        expected = checks.input_range(model, input_range)
        crop = CropResize(model.input_shape[1], expected)
        return crop([batch.images, central_boxes(len(batch), 1.0)])
    if not isinstance(images, np.ndarray):
        taken, count = [], 0
        for batch in images:
            batch = batch[0] if isinstance(batch, tuple | list) else batch
            taken.append(keras.ops.convert_to_numpy(batch))
            count += len(taken[-1])
            if count >= IMAGES:
                break
        images = np.concatenate(taken) if taken else np.empty((0,))
    if not len(images) or images.shape[1:] != model.input_shape[1:]:
        raise ValueError(
            f"images must be of the shape (images, {model.input_shape[1:]}) and at "
            f"least one, got {images.shape}"
        )
    return images[:IMAGES].astype("float32")


def _batch_normalizations(model):
    return [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization)
        and (layer.scale and layer.center)
    ]
