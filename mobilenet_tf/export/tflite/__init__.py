"""Everything that reads or edits a LiteRT flatbuffer; needs `ai_edge_litert`."""

from mobilenet_tf.export.tflite.conversion import content
from mobilenet_tf.export.tflite.interpreter import run

__all__ = ["content", "run"]
