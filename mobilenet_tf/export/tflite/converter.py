"""From a Keras model to a LiteRT file, by TensorFlow's converter."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf


def converted(
    model: keras.Model,
    *,
    types: Sequence[tf.DType] = (),
    calibration: Sequence[np.ndarray] | np.ndarray = (),
    output_type: tf.DType = tf.float32,
) -> bytes:
    """The LiteRT file of a model.

    The converter gets a SavedModel with the weights as constants. That of Keras'
    `Model.export` has variables, whose tracking, saving and restoring takes seven times
    as long as all of this, and gives the same file.

    Args:
        model: A model with a batch size of 1.
        types: Types of weights that are allowed beside float32, such as `tf.float16`.
        calibration: Images `(side, side, 3)` as the model takes them, which determine
            the ranges of tensors; with them the file is int8, and its inputs uint8.
        output_type: Of an int8 file: `tf.float32` or `tf.uint8`.
    """
    with tempfile.TemporaryDirectory() as folder:
        function = _without_variables(model)
        tf.saved_model.save(tf.Module(), folder, signatures=function)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        operators = tf.lite.OpsSet
        converter.target_spec.supported_ops = [
            operators.TFLITE_BUILTINS,
            operators.SELECT_TF_OPS,  # which the verification then cannot run
        ]
        converter.target_spec.supported_types = list(types)
        if types or len(calibration):
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if len(calibration):
            converter.target_spec.supported_ops = [operators.TFLITE_BUILTINS_INT8]
            converter.representative_dataset = lambda: ([x[None]] for x in calibration)
            converter.inference_input_type = tf.uint8
            converter.inference_output_type = output_type
        return converter.convert()


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
    return converted(model, calibration=inputs, output_type=output_type)


def _without_variables(model: keras.Model) -> tf.types.experimental.ConcreteFunction:
    """What the model computes of its input in prediction, its weights constants."""
    variables = (model.trainable_variables, model.non_trainable_variables)
    values = [[variable.numpy() for variable in kind] for kind in variables]

    @tf.function(autograph=False)
    def predict(image):
        constants = [[tf.constant(value) for value in kind] for kind in values]
        outputs, _ = model.stateless_call(*constants, image, training=False)
        return outputs

    (image,) = model.inputs
    return predict.get_concrete_function(tf.TensorSpec(image.shape, name=image.name))
