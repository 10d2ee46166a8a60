"""MobileNets and SqueezeNet in Keras 3: the papers' networks, costs and tools."""

import importlib
from typing import Any

from mobilenet_tf import processor

processor.prepare()  # before Keras is imported, and TensorFlow with it

from mobilenet_tf.analysis import cost  # noqa: E402
from mobilenet_tf.models.imagenet import (  # noqa: E402
    decode_predictions,
    preprocess_input,
)
from mobilenet_tf.models.keras_file import load_model, save_model  # noqa: E402
from mobilenet_tf.models.mobilenet import build  # noqa: E402
from mobilenet_tf.models.squeezenet import build_squeezenet  # noqa: E402

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

# With them come TensorFlow and more, which building a network does without.
_ROOMS = ("codec", "compression", "data", "export", "hub", "training")
_FUNCTIONS = {
    "evaluate": "training",
    "fit": "training",
    "predict": "training",
    "push_to_hub": "hub",
}


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"mobilenet_tf.{name}")
    if name in _FUNCTIONS:
        room = importlib.import_module(f"mobilenet_tf.{_FUNCTIONS[name]}")
        return getattr(room, name)
    raise AttributeError(f"module 'mobilenet_tf' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, *_ROOMS, *_FUNCTIONS]
