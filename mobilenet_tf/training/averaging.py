"""Averaged weights: what a network ends with where its optimizer keeps an average.

Keras averages the trained weights. The statistics of batch normalisation are those of
the last weights, and are measured again for the average.
"""

from __future__ import annotations

from collections.abc import Iterator

import keras

from mobilenet_tf.data.batches import TrainingBatch

BATCHES = 32  # of training crops, for the statistics of batch normalisation


def use_average(trained: keras.Model, batches: Iterator[TrainingBatch]) -> None:
    """Give a network the averaged weights of its optimizer, which has `use_ema`.

    Args:
        trained: A compiled training clone.
        batches: Of training images, for the statistics of batch normalisation.
    """
    trained.optimizer.finalize_variable_values(trained.trainable_variables)
    layers = _batch_normalizations(trained)
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    for index in range(BATCHES):
        inputs, _ = next(batches)
        for layer in layers:
            layer.momentum = index / (index + 1)  # the plain mean of all batches
        trained(list(inputs), training=True)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum


def _batch_normalizations(model):
    """Those that are trained, of models inside the model too."""
    found = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found += _batch_normalizations(layer)
        elif isinstance(layer, keras.layers.BatchNormalization) and layer.trainable:
            found.append(layer)
    return found
