"""How networks are stored in the field."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np

from mobilenet_tf import compression
from mobilenet_tf.compression import kernels, rounding
from mobilenet_tf.export.tflite import int8

CLUSTERS, BITS = 32, 12


def rounded_to_int8(model: keras.Model) -> keras.Model:
    """A network whose kernels are whole multiples of a scale per channel.

    Scales, biases and normalisation have 12 significant bits.
    """
    result = compression.round_vectors(model, BITS)
    changed = {}
    for name, kernel in kernels.by_name(model).items():
        axis = -1 if kernel.shape[-1] > 1 else -2
        channels = np.moveaxis(kernel, axis, 0)
        scales = rounding.significant(int8.best_scales(channels), BITS)
        multiples = int8.rounded(channels, scales).astype("float32")
        product = multiples * scales.reshape(-1, *[1] * (kernel.ndim - 1))
        changed[name] = np.moveaxis(product, 0, axis) + np.float32(0)
    kernels.replace(result, changed)
    return result


def clustered(model: keras.Model) -> keras.Model:
    """A network whose kernels have 32 values each, or as many as they have weights.

    Biases and normalisation have 12 significant bits.
    """
    few = [
        name
        for name, kernel in kernels.by_name(model).items()
        if len(np.unique(kernel)) < 2 * CLUSTERS
    ]
    result = compression.cluster(
        model, clusters=CLUSTERS, skip=few, report=lambda report: None
    )
    return compression.round_vectors(result, BITS)


FORMS: dict[str, Callable[[keras.Model], keras.Model]] = {
    "8 bits": rounded_to_int8,
    "32 values": clustered,
}
