"""Files to deploy, each verified against its Keras model before it appears."""

from mobilenet_tf.export.litert_file import litert
from mobilenet_tf.export.micro_file import micro
from mobilenet_tf.export.onnx_file import onnx
from mobilenet_tf.export.saved_model_folder import saved_model

__all__ = ["litert", "micro", "onnx", "saved_model"]
