"""A flat network of stock layers as a short text, and back.

The text is a JSON list: the name of the network, then one list per layer with its
class, its name, the layers it takes, and the settings that are not Keras' defaults.
Nothing of it is ever executed or used as a path: classes, settings and activations are
looked up in `settings`, and their values are numbers, words and lists of them.
"""

from __future__ import annotations

import inspect
import itertools
import json
import types

import keras

from mobilenet_tf.models.layer_schema import (
    ACTIVATIONS,
    SETTINGS,
    check_axis,
    check_settings,
    count_weights,
)

MOST_LAYERS = 2000
MOST_INPUTS = 2 * MOST_LAYERS
MOST_WEIGHTS = 1 << 28


class _TooMuchError(ValueError):
    """A network that is well described, but larger than allowed."""


def describe(model: keras.Model) -> str:
    """The text of a network.

    Args:
        model: A flat functional model, of one input and one output in float32, of stock
            layers with channels last, each called once.

    Raises:
        ValueError: It is none, or has a layer or a setting that cannot be written.
    """
    if not hasattr(model, "operations"):
        raise ValueError(
            f"model must be functional, got a {type(model).__name__}; keras.Model("
            "model.inputs, model.outputs) makes it so where it is built"
        )
    for name, tensors in (("input", model.inputs), ("output", model.outputs)):
        if len(tensors) != 1:
            raise ValueError(f"model must have one {name}, got {len(tensors)}")
    # Operations without a layer, as a channel shuffle, are not among `layers`.
    entries = [_described(layer) for layer in model.operations]
    _check_amounts(entries)
    return json.dumps([model.name, *entries], separators=(",", ":"))


def build(
    text: str, max_weights: int = MOST_WEIGHTS, framework: types.ModuleType = keras
) -> tuple[keras.Model, list[keras.layers.Layer]]:
    """The network of a text, with Keras' initial weights, and its layers in order.

    Args:
        text: What `describe` gave.
        max_weights: A text with more weights is refused before they take memory.
        framework: `keras`, or a module with the same layers.

    Raises:
        ValueError: It is no such text, or the network has more weights than allowed.
    """
    try:
        return _built(text, max_weights, framework)
    except _TooMuchError:
        raise
    except Exception as error:  # a hostile text can make Keras raise anything
        raise ValueError(f"it describes no network: {error}") from error


def difference(first: str, second: str) -> str | None:
    """Where two texts first tell apart, but for names; None where they do not."""
    pairs = itertools.zip_longest(*map(_unnamed, (first, second)))
    for one, other in pairs:
        if one != other:
            return f"{_named(one)} against {_named(other)}"
    return None


def _unnamed(text):
    """Of each layer its class, the places of what it takes, and its settings."""
    _, *entries = json.loads(text)
    places = {name: place for place, (_, name, _, _) in enumerate(entries)}
    return [
        (kind, [places[one] for one in inputs], settings)
        for kind, _, inputs, settings in entries
    ]


def _named(entry):
    if entry is None:
        return "no layer"
    kind, places, settings = entry
    return f"{kind} of layers {places} with {settings}"


def _built(text, max_weights, framework):
    name, *entries = json.loads(text)
    _check_amounts(entries)
    layers, tensors, weights = [], {}, 0
    for kind, layer_name, inputs, settings in entries:
        if layer_name in tensors:
            raise ValueError(f"two layers have the name {layer_name!r}")
        layer = _layer(framework, kind, layer_name, settings)
        taken = [tensors[one] for one in inputs]
        if taken:
            expected = count_weights(kind, layer, taken[0].shape)
            weights += expected
            _limit(weights, max_weights, "weights")
            result = layer(taken if len(taken) > 1 else taken[0])
            if layer.count_params() != expected:
                raise ValueError(f"layer {layer_name!r} has not {expected} weights")
        tensors[layer_name] = result if taken else layer.output
        layers.append(layer)
    output = tensors[layers[-1].name]
    model = framework.Model(layers[0].output, output, name=name)
    if len(model.layers) != len(layers):
        raise ValueError("it has layers that do not lead to its output")
    return model, layers


def _check_amounts(entries):
    _limit(len(entries), MOST_LAYERS, "layers")
    _limit(sum(len(inputs) for _, _, inputs, _ in entries), MOST_INPUTS, "connections")


def _limit(count, most, what):
    if count > most:
        raise _TooMuchError(f"it has more than {most:,} {what}")


def _described(layer):
    kind = type(layer).__name__
    if kind not in SETTINGS or type(layer) is not getattr(keras.layers, kind):
        raise ValueError(
            f"layer {layer.name!r} is a {kind}; only these can be written, as Keras "
            f"has them: {', '.join(SETTINGS)}"
        )
    if len(layer._inbound_nodes) != 1:
        raise ValueError(
            f"layer {layer.name!r} must be called once, got "
            f"{len(layer._inbound_nodes)} calls"
        )
    (node,) = layer._inbound_nodes
    config = layer.get_config()
    _check_as_a_reader_takes_it(layer, node, config)
    inputs = [] if node.is_input else [one.operation.name for one in node.parent_nodes]
    defaults = inspect.signature(getattr(keras.layers, kind)).parameters
    settings = {key: _plain(config[key]) for key in SETTINGS[kind]}
    check_settings(f"layer {layer.name!r}", settings)
    settings = {
        key: value
        for key, value in settings.items()
        if key not in defaults or value != _plain(defaults[key].default)
    }
    return [kind, layer.name, inputs, settings]


def _check_as_a_reader_takes_it(layer, node, config):
    """What is not among the settings, and so cannot be told."""
    for what, legal, found in (
        ("dtype", "float32", layer.dtype),
        ("compute_dtype", "float32", layer.compute_dtype),
        ("data_format", "channels_last", config.get("data_format", "channels_last")),
        ("training", False, bool(node.arguments.kwargs.get("training"))),
    ):
        if found != legal:
            raise ValueError(
                f"layer {layer.name!r} must have {what}={legal}, got {found}"
            )
    known = [None, *(getattr(keras.activations, name) for name in ACTIVATIONS)]
    activation = getattr(layer, "activation", None)
    if activation not in known:
        raise ValueError(
            f"layer {layer.name!r} has the activation {activation!r}; only these can "
            f"be written, as Keras has them: {', '.join(ACTIVATIONS)}"
        )
    if isinstance(layer, keras.layers.BatchNormalization):
        check_axis(layer, layer.input.shape)
    if layer.weights:
        _check_weights(layer)


def _check_weights(layer):
    count = count_weights(type(layer).__name__, layer, layer.input.shape)
    floats = all(one.dtype == "float32" for one in layer.weights)
    if layer.count_params() != count or not floats:
        raise ValueError(
            f"layer {layer.name!r} must have the float32 weights of its settings "
            "alone, not those of Keras' quantize() or enable_lora()"
        )


def _plain(setting):
    return list(map(_plain, setting)) if isinstance(setting, tuple) else setting


def _layer(framework, kind, name, settings):
    if kind not in SETTINGS:
        raise ValueError(f"there is no layer {kind!r}")
    if not set(settings) <= set(SETTINGS[kind]):
        raise ValueError(f"{kind} has no settings {sorted(settings)}")
    check_settings(kind, settings)
    return getattr(framework.layers, kind)(name=name, **settings)
