"""MobileNets and SqueezeNet in Keras 3: the papers' networks, tables and tools."""

from mobilenet_tf.mobilenet import build

__all__ = ["build"]
__version__ = "0.1.0"
