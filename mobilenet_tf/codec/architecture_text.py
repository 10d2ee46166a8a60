"""The architecture of a network as the JSON text in a file, and back.

The text is a list: the network's name, then one list per layer with its class, its
name, the names of its input layers, and the settings that differ from `DEFAULTS`.
Nothing in it is executed or used as a path: classes, settings and activations are
looked up in `layer_schema`, and values are numbers, words and lists of them.
"""

from __future__ import annotations

import json
from typing import Any

import keras

from mobilenet_tf.models import architecture, weight_shapes
from mobilenet_tf.models.architecture import Architecture, LayerSpec, TooLargeError
from mobilenet_tf.models.layer_schema import SETTINGS

_POOLING: dict[str, Any] = {"strides": None, "padding": "valid"}
_CONVOLUTION: dict[str, Any] = {
    "strides": [1, 1],
    "padding": "valid",
    "dilation_rate": [1, 1],
    "use_bias": True,
    "activation": "linear",
}
# Part of the format: the values of settings that a file omits. These are the defaults
# of Keras 3.15, whatever the installed Keras' are, so that files keep their meaning.
# Settings that are not here are always written.
DEFAULTS: dict[str, dict[str, Any]] = {
    "AveragePooling2D": _POOLING,
    "BatchNormalization": {
        "axis": -1,
        "momentum": 0.99,
        "epsilon": 0.001,
        "center": True,
        "scale": True,
    },
    "Concatenate": {"axis": -1},
    "Conv2D": {"groups": 1, **_CONVOLUTION},
    "Dense": {"use_bias": True, "activation": "linear"},
    "DepthwiseConv2D": {"depth_multiplier": 1, **_CONVOLUTION},
    "GlobalAveragePooling2D": {"keepdims": False},
    "GlobalMaxPooling2D": {"keepdims": False},
    "MaxPooling2D": {"pool_size": [2, 2], **_POOLING},
    "ReLU": {"max_value": None, "negative_slope": 0.0, "threshold": 0.0},
    "Rescaling": {"offset": 0.0},
    "SeparableConv2D": {"depth_multiplier": 1, **_CONVOLUTION},
    "Softmax": {"axis": -1},
    "ZeroPadding2D": {"padding": [1, 1]},
}
# Readers fill it in, but every file has it.
_ALWAYS_WRITTEN = "activation"


def to_json(network: Architecture) -> str:
    """The text of an architecture."""
    layers = [
        [spec.kind, spec.name, list(spec.inputs), _written(spec)]
        for spec in network.layers
    ]
    return json.dumps([network.name, *layers], separators=(",", ":"))


def _written(spec):
    defaults = DEFAULTS.get(spec.kind, {})
    return {
        key: spec.settings[key]
        for key in SETTINGS[spec.kind]
        if key == _ALWAYS_WRITTEN
        or key not in defaults
        or spec.settings[key] != defaults[key]
    }


def from_json(text: str) -> Architecture:
    """The architecture of a text.

    Raises:
        ValueError: The text describes no network.
    """
    name, *layers = json.loads(text)
    if len(layers) > architecture.MOST_LAYERS:  # before any of them is read
        raise TooLargeError(
            f"a network must have at most {architecture.MOST_LAYERS:,} layers"
        )
    return Architecture(name, tuple(_layer(*layer) for layer in layers))


def _layer(kind, name, inputs, settings):
    defaults = DEFAULTS.get(kind, {})
    return LayerSpec(kind, name, tuple(inputs), {**defaults, **settings})


def build(text: str, max_weights: int) -> tuple[keras.Model, list[keras.layers.Layer]]:
    """The network of a text, newly initialised, and its layers in the text's order.

    Args:
        text: What `to_json` gave.
        max_weights: A network with more weights is refused before they take memory.

    Raises:
        ValueError: The text describes no network, or one that is larger than allowed.
    """
    try:
        network = from_json(text)
        model = architecture.build(network, max_weights=max_weights)
        layers = {layer.name: layer for layer in model.layers}
        return model, [layers[spec.name] for spec in network.layers]
    except TooLargeError:
        raise
    except Exception as error:  # a hostile text can make Keras raise anything
        raise ValueError(f"it describes no network: {error}") from error


def shapes_of_weights(text: str, max_weights: int) -> list[tuple[str, tuple[int, ...]]]:
    """Layer and shape of each tensor of a file, in its order.

    Args:
        text: What `to_json` gave.
        max_weights: As `build`.

    Raises:
        ValueError: As `build`.
    """
    try:
        return weight_shapes.of_architecture(from_json(text), max_weights)
    except TooLargeError:
        raise
    except Exception as error:  # as in `build`
        raise ValueError(f"it describes no network: {error}") from error
