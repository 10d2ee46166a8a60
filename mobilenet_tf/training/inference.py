"""Outputs of a model for batches of images, in the fastest way."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from mobilenet_tf.training import distribution


def outputs(model: keras.Model, inputs: Any, number: int) -> np.ndarray:
    """What a model gives for one of several batches, in prediction.

    TensorFlow takes seconds to trace a network and to optimise its graph, as long as
    it computes a batch or two without; so the first batch, which is often the only one,
    is computed operation by operation.

    Args:
        model: Gives one output.
        inputs: As `model` takes them. Of several replicas in a process each gets the
            whole batch; several processes share it.
        number: Number of the batch, from 0.

    Returns:
        `(batch, ...)`.
    """
    shared = distribution.outputs(model, inputs)
    if shared is not None:
        return shared
    if number or keras.backend.backend() != "tensorflow":
        scores = model.predict_on_batch(inputs)
    else:
        scores = model(inputs, training=False)
    (scores,) = keras.tree.flatten(scores)  # a list where the model gives a list of one
    size = len(keras.tree.flatten(inputs)[0])
    # Those of the first replica are taken.
    return keras.ops.convert_to_numpy(scores)[:size]
