"""MobileNets and SqueezeNet in Keras 3: the papers' networks, tables and tools."""

from mobilenet_tf import cost
from mobilenet_tf.mobilenet import build

__all__ = ["build", "cost"]
__version__ = "0.1.0"
