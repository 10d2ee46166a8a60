"""Architectures as objects and as JSON text: round trips, and what is rejected."""

import inspect
import json

import compressible
import keras
import numpy as np
import pytest
from keras import layers

pytest.importorskip("constriction")

from mobilenet_tf.codec import architecture_text
from mobilenet_tf.models import architecture, layer_schema

IMAGE = ["InputLayer", "image", [], {"batch_shape": [None, 8, 8, 4]}]


def built(*entries, max_weights=10**6):
    text = json.dumps(["name", IMAGE, *entries])
    return architecture_text.build(text, max_weights)[0]


def again(model):
    """A model from the text of a model."""
    text = architecture_text.to_json(architecture.describe(model))
    return architecture_text.build(text, 10**7)[0]


def convolution(**settings):
    settings = {"filters": 2, "kernel_size": [1, 1]} | settings
    return ["Conv2D", "conv", ["image"], settings]


def test_a_limit_is_met_exactly():
    networks = compressible.NETWORKS
    for build in (networks["separable"], networks["complex"], compressible.grouped):
        model = build()
        network, weights = architecture.describe(model), model.count_params()
        architecture.build(network, max_weights=weights)
        with pytest.raises(ValueError, match=f"at most {weights - 1:,} weights"):
            architecture.build(network, max_weights=weights - 1)


@pytest.mark.parametrize("axis", [1, 2, -2])
def test_normalisation_of_another_axis_than_the_last(axis):
    with pytest.raises(ValueError, match="'bn' must normalise the last axis"):
        built(["BatchNormalization", "bn", ["image"], {"axis": axis}])


@pytest.mark.parametrize(
    "activation",
    [
        {"class_name": "Dense", "config": {"units": 10**6}, "module": "keras.layers"},
        ["relu"],
        "threshold",
        "builtins.open",
        None,
        7,
    ],
)
def test_activations_are_names(activation, monkeypatch):
    monkeypatch.setattr(keras.activations, "get", pytest.fail)
    with pytest.raises(ValueError, match="cannot be written with activation="):
        built(convolution(activation=activation))


@pytest.mark.parametrize("name", layer_schema.ACTIVATIONS)
def test_activations_come_back(name):
    model = again(built(["Activation", "a", ["image"], {"activation": name}]))
    assert model.layers[-1].activation is getattr(keras.activations, name)
    assert model.output.shape == (None, 8, 8, 4)


@pytest.mark.parametrize(
    "value", [{"class_name": "Dense"}, [{}], [1] * 9, [[[1]]], [[1], ["x", {}]]]
)
def test_settings_are_plain(value):
    with pytest.raises(ValueError, match="cannot be written with strides="):
        built(convolution(strides=value))


def test_inputs_are_bounded_in_all():
    with pytest.raises(ValueError, match="at most 4,000 connections"):
        built(["Add", "sum", ["image"] * 100_000, {}])


def test_networks_too_large_to_read_are_not_written(monkeypatch):
    model = compressible.grouped()
    monkeypatch.setattr(architecture, "MOST_LAYERS", len(model.layers) - 1)
    with pytest.raises(ValueError, match="at most 5 layers"):
        architecture.describe(model)


def test_layers_that_lead_nowhere():
    with pytest.raises(ValueError, match="do not lead to the output"):
        built(convolution(), ["ReLU", "relu", ["image"], {}])


Dense = type("Dense", (layers.Dense,), {})


def called_twice(x):
    dense = layers.Dense(4, name="dense")
    return dense(dense(x))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: [layers.ReLU()(x), layers.Softmax()(x)], "one output, got 2"),
        (
            lambda x: Dense(2, name="mine")(x),
            "'mine' is a Dense; only .* as Keras has them",
        ),
        (called_twice, "'dense' must be called once, got 2 calls"),
        (
            lambda x: layers.Conv2D(2, 1, name="a", data_format="channels_first")(x),
            "'a' must have data_format=channels_last, got channels_first",
        ),
        (
            lambda x: layers.MaxPooling2D(name="a", data_format="channels_first")(x),
            "'a' must have data_format=channels_last, got channels_first",
        ),
        (
            lambda x: layers.BatchNormalization(1, name="a")(x),
            "'a' must normalise the last axis, got axis=1",
        ),
        (lambda x: layers.Dense(2, dtype="float16", name="a")(x), "'a' .* float16"),
        (
            lambda x: layers.Dense(2, dtype="mixed_bfloat16", name="a")(x),
            "'a' must have compute_dtype=float32, got bfloat16",
        ),
        (
            lambda x: layers.Dropout(0.5, name="a")(x, training=True),
            "'a' must have training=False, got True",
        ),
        (
            lambda x: layers.Dense(2, activation=lambda y: y, name="a")(x),
            "'a' has the activation <function",
        ),
        (
            lambda x: layers.Activation(layers.LeakyReLU(0.1), name="a")(x),
            "'a' has the activation <LeakyReLU",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:The object being serialized includes a `lambda`")
def test_what_cannot_be_written(call, message):
    images = keras.Input((8, 8, 4), name="image")
    with pytest.raises(ValueError, match=message):
        architecture.describe(keras.Model(images, call(images)))


def test_a_function_with_the_name_of_another():
    def relu(x):
        return -x

    relu.__module__ = keras.activations.relu.__module__
    images = keras.Input((4,))
    model = keras.Model(images, layers.Activation(relu, name="a")(images))
    with pytest.raises(ValueError, match="'a' has the activation <function"):
        architecture.describe(model)


def test_models_that_cannot_be_written():
    images = [keras.Input((4,)), keras.Input((4,))]
    with pytest.raises(ValueError, match="one input, got 2"):
        architecture.describe(keras.Model(images, layers.Add()(images)))
    bytes_ = keras.Input((4,), dtype="uint8", name="bytes")
    with pytest.raises(ValueError, match="'bytes' must have dtype=float32, got uint8"):
        architecture.describe(keras.Model(bytes_, layers.Rescaling(1 / 255)(bytes_)))
    with pytest.raises(ValueError, match="must be functional, got a Mine"):
        architecture.describe(type("Mine", (keras.Model,), {})())


def test_the_functional_form_of_a_sequence_of_layers():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, "relu")])
    with pytest.raises(ValueError, match="must be functional, got a Sequential"):
        architecture.describe(model)
    functional = keras.Model(model.inputs, model.outputs)
    copy = again(functional)
    copy.set_weights(model.get_weights())
    images = np.ones((2, 4), "float32")
    np.testing.assert_array_equal(copy(images), model(images))


# Constructor arguments that do not change what a layer with given weights predicts, or
# whose other values `describe` refuses.
IRRELEVANT = {"data_format", "dtype", "kwargs", "name", "noise_shape", "seed", "shape"}
IRRELEVANT |= {"batch_size", "sparse", "ragged", "input_tensor", "optional"}
IRRELEVANT |= {"lora_rank", "lora_alpha", "quantization_config", "synchronized"}
# They need renorm, of which the default is checked below.
IRRELEVANT |= {"renorm_clipping", "renorm_momentum"}


@pytest.mark.parametrize("kind", layer_schema.SETTINGS)
def test_no_default_of_the_installed_keras_changes_what_a_file_means(kind):
    """The reader passes every setting; Keras has no others that matter."""
    parameters = inspect.signature(getattr(layers, kind)).parameters
    endings = ("initializer", "regularizer", "constraint")
    further = {
        name: parameter.default
        for name, parameter in parameters.items()
        if name not in layer_schema.SETTINGS[kind]
        and name not in IRRELEVANT
        and not name.endswith(endings)
    }
    assert further == ({"renorm": False} if "renorm" in parameters else {})


def test_the_defaults_of_the_format():
    """A file that leaves all of them out has them, whatever the installed Keras has."""
    needed = {"filters": 2, "kernel_size": [1, 1], "units": 2, "activation": "relu"}
    needed |= {"pool_size": [2, 2], "scale": 2.0, "rate": 0.5, "target_shape": [256]}
    for kind, defaults in architecture_text.DEFAULTS.items():
        names = layer_schema.SETTINGS[kind]
        given = {name: needed[name] for name in names if name not in defaults}
        inputs = ["image", "image"] if kind == "Concatenate" else ["image"]
        layer = built([kind, "layer", inputs, given]).get_layer("layer")
        if "strides" in defaults and "Pooling" in kind:
            defaults = {**defaults, "strides": [2, 2]}  # None means the pool's size
        if kind == "ZeroPadding2D":
            defaults = {"padding": [[1, 1], [1, 1]]}  # by side
        config = json.loads(json.dumps(layer.get_config()))
        assert {name: config[name] for name in defaults} == defaults, kind
