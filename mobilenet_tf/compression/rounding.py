"""Biases and batch normalisation in fewer bits, beside kernels that are compressed."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np

from mobilenet_tf import arguments
from mobilenet_tf.compression.fine_tuning import copy_of
from mobilenet_tf.models import graph, keras_file

_SIGNIFICANT = 24  # bits of float32
FEW = 16  # at most so many are found in a network that was rounded


def round_vectors(model: keras.Model, bits: int = 12) -> keras.Model:
    """Round biases and batch normalisation to some significant bits.

    Where kernels take few bits, these vectors are a fifth of the file of
    `mobilenet_tf.codec`, and two fifths of the difference to a network that was trained
    again. 12 bits are an error of at most 0.012 %.

    Args:
        model: A network. It stays as it is.
        bits: Significant bits that are left, the highest one included, 2 to 16.

    Returns:
        The rounded network.

    Raises:
        ValueError: `bits` is out of its range.
    """
    arguments.instance("model", model, keras.Model)
    arguments.one_of("bits", bits, range(2, FEW + 1))
    arguments.integer("bits", bits)
    flat = graph.flatten(model)
    result = copy_of(flat)
    change_vectors(result, lambda values: significant(values, bits))
    keras_file.set_training_info(result, keras_file.training_info(model))
    return result


def significant(values: np.ndarray, bits: int) -> np.ndarray:
    """The nearest float32 with some significant bits; 0 for those below 2**-126."""
    values = values.astype("float32")
    fractions, exponents = np.frexp(values)
    rounded = np.ldexp(np.rint(np.ldexp(fractions, bits)), exponents - bits)
    tiny = np.abs(values) < np.finfo("float32").tiny
    return np.where(tiny, np.copysign(0, values), rounded).astype("float32")


def significant_bits(model: keras.Model) -> int:
    """The most significant bits of any value in the vectors of a flat network."""
    vectors = [
        array.ravel()
        for layer in model.layers
        for array in layer.get_weights()
        if array.ndim == 1
    ]
    values = np.concatenate([np.zeros(1, "float32"), *vectors]).astype("float32")
    mantissas = (values.view("uint32") & (1 << _SIGNIFICANT - 1) - 1).astype("int64")
    together = int(np.bitwise_or.reduce(mantissas)) | 1 << _SIGNIFICANT - 1
    return _SIGNIFICANT + 1 - (together & -together).bit_length()


def change_vectors(
    model: keras.Model, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    """Change the biases and the batch normalisation of a flat network in place."""
    for layer in model.layers:
        arrays = layer.get_weights()
        layer.set_weights(
            [change(array) if array.ndim == 1 else array for array in arrays]
        )
