"""Batch normalisation that has been merged into the convolutions before it."""

from __future__ import annotations

import keras
import numpy as np


def is_merged(model: keras.Model) -> bool:
    """Whether a flat network has trained weights and merged batch statistics.

    Then every layer of batch normalisation has mean 0 and variance 1, as a fresh one
    has. But a fresh one has scale 1 and offset 0 as well, while a merged one has
    trained offsets. False without batch normalisation.
    """
    layers = [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    if not layers:
        return False
    fresh = True
    for layer in layers:
        values = [keras.ops.convert_to_numpy(weight) for weight in layer.weights]
        *learnt, mean, variance = values
        # Some converters write 1 - epsilon, so that dividing by it changes nothing.
        near = layer.epsilon * 2 + 1e-6
        if np.any(mean) or np.abs(variance - 1).max() > near:
            return False
        if layer.scale:
            fresh &= bool((learnt[0] == 1).all())
        if layer.center:
            fresh &= not learnt[-1].any()
    return not fresh
