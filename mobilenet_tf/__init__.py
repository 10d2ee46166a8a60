"""MobileNets and SqueezeNet in Keras 3: the papers' networks, costs and tools."""

import importlib
from typing import TYPE_CHECKING, Any

from mobilenet_tf import processor

if TYPE_CHECKING:
    from mobilenet_tf.analysis import cost
    from mobilenet_tf.models.imagenet import decode_predictions, preprocess_input
    from mobilenet_tf.models.keras_file import load_model, save_model
    from mobilenet_tf.models.mobilenet import build
    from mobilenet_tf.models.squeezenet import build_squeezenet

processor.prepare()  # before Keras is imported, and TensorFlow with it

__all__ = [
    "build",
    "build_squeezenet",
    "cost",
    "decode_predictions",
    "load_model",
    "preprocess_input",
    "save_model",
]
__version__ = "0.1.0"

# Imported on first use: building a network does without TensorFlow's other parts, and
# a device that updates and runs a LiteRT file does without Keras and TensorFlow.
_ROOMS = (
    *("analysis", "codec", "compression", "data", "export", "hosts", "hub", "models"),
    *("training", "update"),
)
_FUNCTIONS = {
    "build": "models.mobilenet",
    "build_squeezenet": "models.squeezenet",
    "decode_predictions": "models.imagenet",
    "evaluate": "training",
    "fit": "training",
    "load_model": "models.keras_file",
    "predict": "training",
    "preprocess_input": "models.imagenet",
    "push_to_hub": "hub",
    "save_model": "models.keras_file",
}


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"mobilenet_tf.{name}")
    if name == "cost":
        return importlib.import_module("mobilenet_tf.analysis.cost")
    if name in _FUNCTIONS:
        room = importlib.import_module(f"mobilenet_tf.{_FUNCTIONS[name]}")
        return getattr(room, name)
    raise AttributeError(f"module 'mobilenet_tf' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *_ROOMS, *_FUNCTIONS})
