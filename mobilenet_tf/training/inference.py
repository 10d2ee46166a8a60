"""Outputs of a model for batches of images, in the fastest way."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from mobilenet_tf.training import distribution


class Outputs:
    """What a model gives for batches, in prediction: `Outputs(model)(inputs)`.

    TensorFlow takes seconds to trace a network and to optimise its graph, as long as
    it computes a batch or two without. So the first batch, which is often the only one,
    is computed operation by operation, and so is the rest of images at the end: the
    graph is one for batches of a size.

    Args:
        model: Gives one output.
    """

    def __init__(self, model: keras.Model):
        self._model = model
        self._size: int | None = None  # of the first batch

    def __call__(self, inputs: Any) -> np.ndarray:
        """The outputs for a batch, `(batch, ...)`.

        Args:
            inputs: As the model takes them. Of several replicas in a process each gets
                the whole batch; several processes share it.
        """
        shared = distribution.outputs(self._model, inputs)
        if shared is not None:
            return shared
        size = len(keras.tree.flatten(inputs)[0])
        if size == self._size or keras.backend.backend() != "tensorflow":
            scores = self._model.predict_on_batch(inputs)
        else:
            scores = self._model(inputs, training=False)
        self._size = self._size or size
        (scores,) = keras.tree.flatten(scores)  # the model may give a list of one
        # Those of the first replica are taken.
        return keras.ops.convert_to_numpy(scores)[:size]
