"""Batch normalisation of published weights, made ready for training."""

from __future__ import annotations

import keras
import numpy as np

from mobilenet_tf.data.boxes import central_boxes
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.training.cropping import CropResize

IMAGES = 128


def adopt_statistics(model: keras.Model, data: DataSet, *, seed: int = 0) -> None:
    """Give batch normalisation the statistics of a data set; outputs stay the same.

    In published files it is often merged into the convolutions: mean 0, variance 1. In
    training a layer normalises by its batch instead, which would destroy what such a
    network has learnt. Scale and offset take up what the statistics change, so that
    the network computes the same, in training too. One without batch normalisation
    stays as it is.

    Args:
        model: A functional model, `(H, W, 3)` from -1 to 1, with weights from a file.
        data: What it is going to be trained on; 128 training images are taken.
        seed: Which ones.
    """
    layers = [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization)
        and (layer.scale and layer.center)
    ]
    if not layers:
        return
    count = min(IMAGES, data.train.size)
    batch = next(iter(data.train.epoch(count, seed=[seed, 0, 0])))
    crop = CropResize(model.input_shape[1])
    crops = crop([batch.images, central_boxes(len(batch), 1.0)])
    moments = keras.Model(
        model.input, [keras.ops.moments(layer.input, (0, 1, 2)) for layer in layers]
    )
    for layer, (mean, variance) in zip(layers, moments(crops), strict=True):
        mean, variance = map(keras.ops.convert_to_numpy, (mean, variance))
        gamma, beta, old_mean, old_variance = layer.get_weights()
        scale = gamma / np.sqrt(old_variance + layer.epsilon)
        gamma = scale * np.sqrt(variance + layer.epsilon)
        layer.set_weights([gamma, beta + scale * (mean - old_mean), mean, variance])
