"""MobileNets and SqueezeNet in Keras 3: the papers' networks, tables and tools."""

import importlib

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


def __getattr__(name):
    # With them come TensorFlow and more, which building a network does without.
    if name in ("compression", "export"):
        return importlib.import_module(f"mobilenet_tf.{name}")
    raise AttributeError(f"module 'mobilenet_tf' has no attribute {name!r}")
