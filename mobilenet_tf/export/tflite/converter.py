"""Keras' own converter to LiteRT."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf


def converted(model: keras.Model, **options: Any) -> bytes:
    """The LiteRT file of a model.

    Args:
        model: A model with a batch size of 1.
        options: Attributes of TensorFlow's converter.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        model.export(path, format="litert", verbose=False, **options)
        return path.read_bytes()


def converted_to_int8(
    model: keras.Model,
    inputs: np.ndarray,
    value_range: tuple[float, float],
    output_type: tf.DType,
) -> bytes:
    """A plain int8 conversion, with uint8 pixels as its input.

    Args:
        model: A model with a batch size of 1.
        inputs: Images that determine the ranges of tensors, `(images, side, side, 3)`.
        value_range: The values that the model expects of black and of white.
        output_type: `tf.float32` or `tf.uint8`.
    """
    # Black and white make the scale of the input that of raw pixels.
    inputs = inputs.copy()
    inputs[0, 0, 0], inputs[0, 0, 1] = value_range
    return converted(
        model,
        optimizations=[tf.lite.Optimize.DEFAULT],
        representative_dataset=lambda: ([image[None]] for image in inputs),
        target_spec={"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]},
        inference_input_type=tf.uint8,
        inference_output_type=output_type,
    )
