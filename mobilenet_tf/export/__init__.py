"""Files to deploy, each proven equal to its Keras model before it appears."""

from mobilenet_tf.export.litert import litert
from mobilenet_tf.export.onnx import onnx
from mobilenet_tf.export.serving import saved_model

__all__ = ["litert", "onnx", "saved_model"]
