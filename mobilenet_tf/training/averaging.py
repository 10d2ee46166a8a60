"""Averaged weights: what a network ends with where its optimizer keeps an average.

Keras averages the trained weights. The statistics of batch normalisation are those of
the last weights, and are measured again for the average.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import keras

from mobilenet_tf.data.batches import TrainingBatch
from mobilenet_tf.training.normalization import average_statistics

BATCHES = 32  # of training crops, for the statistics of batch normalisation


def use_average(trained: keras.Model, batches: Iterator[TrainingBatch]) -> None:
    """Give a network the averaged weights of its optimizer, which has `use_ema`.

    Args:
        trained: A compiled training clone.
        batches: Of training images, for the statistics of batch normalisation.
    """
    trained.optimizer.finalize_variable_values(trained.trainable_variables)
    layers = _batch_normalizations(trained)
    if layers:
        some = itertools.islice(batches, BATCHES)
        average_statistics(trained, layers, (list(inputs) for inputs, _ in some))


def _batch_normalizations(model):
    """Those that are trained, of models inside the model too."""
    found = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found += _batch_normalizations(layer)
        elif isinstance(layer, keras.layers.BatchNormalization) and layer.trainable:
            found.append(layer)
    return found
