"""MobileNets and SqueezeNet in Keras 3: the papers' networks, tables and tools."""

from mobilenet_tf import cost
from mobilenet_tf.imagenet import decode_predictions, preprocess_input
from mobilenet_tf.mobilenet import build
from mobilenet_tf.squeezenet import build_squeezenet

__all__ = [
    "build",
    "build_squeezenet",
    "cost",
    "decode_predictions",
    "preprocess_input",
]
__version__ = "0.1.0"
