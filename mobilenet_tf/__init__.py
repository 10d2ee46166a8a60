"""MobileNets and SqueezeNet in Keras 3: the papers' networks, costs and tools."""

import importlib
from typing import TYPE_CHECKING

from mobilenet_tf import processor

# What `__getattr__` finds below, declared for type checkers (tests/test_front_door.py).
# Rooms are named twice, which exports them, and are not in `__all__`: `import *` would
# need the optional packages of each.
if TYPE_CHECKING:
    from mobilenet_tf import analysis as analysis
    from mobilenet_tf import codec as codec
    from mobilenet_tf import compression as compression
    from mobilenet_tf import data as data
    from mobilenet_tf import export as export
    from mobilenet_tf import hosts as hosts
    from mobilenet_tf import hub as hub
    from mobilenet_tf import models as models
    from mobilenet_tf import training as training
    from mobilenet_tf import update as update
    from mobilenet_tf.analysis import cost
    from mobilenet_tf.hub import push_to_hub
    from mobilenet_tf.models.imagenet import decode_predictions, preprocess_input
    from mobilenet_tf.models.keras_file import load_model, save_model
    from mobilenet_tf.models.mobilenet import build
    from mobilenet_tf.models.squeezenet import build_squeezenet
    from mobilenet_tf.training import evaluate, fit, predict

processor.prepare()  # before Keras is imported, and TensorFlow with it

__all__ = [
    "build",
    "build_squeezenet",
    "cost",
    "decode_predictions",
    "evaluate",
    "fit",
    "load_model",
    "predict",
    "preprocess_input",
    "push_to_hub",
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


if not TYPE_CHECKING:  # or every unknown name would have the type Any

    def __getattr__(name: str) -> object:
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
