"""Networks inside networks, heads of the user's own, and what input they expect."""

import keras
import numpy as np
import pytest
from conftest import outputs_of
from keras import layers

import mobilenet_tf
from mobilenet_tf.models import baselines, graph

SIDE = 32


def build(**arguments):
    arguments = {"classes": 3, "blocks": ((64, 2), (128, 2)), **arguments}
    return mobilenet_tf.build(0.25, base_resolution=SIDE, **arguments)


def base(**arguments):
    return build(**{"include_top": False, "pooling": "avg", **arguments})


def sequential():
    scale = layers.Rescaling(1 / 127.5, -1)
    parts = [keras.Input((SIDE, SIDE, 3)), scale, base(), layers.Dense(5)]
    return keras.Sequential(parts)


def functional():
    body = base()
    return keras.Model(body.input, layers.Dense(5, "softmax")(body.output))


def twice_nested():
    inner = keras.Sequential([base(), layers.Dropout(0.5)], name="inner")
    images = keras.Input((SIDE, SIDE, 3))
    x = layers.Rescaling(1 / 255, name="stem")(images)  # a name of the base's too
    x = inner(x, training=False)
    return keras.Model(images, layers.Dense(4, "sigmoid")(x))


def stock():
    return keras.applications.MobileNet(
        (SIDE, SIDE, 3), 0.25, weights=None, classes=6, classifier_activation=None
    )


NESTED = (sequential, twice_nested)


@pytest.mark.parametrize("make", NESTED)
def test_a_flat_copy_computes_the_same(make):
    model = make()
    flat = graph.flatten(model)
    assert not any(isinstance(layer, keras.Model) for layer in flat.layers)
    assert flat.count_params() == model.count_params()
    images = np.random.default_rng(0).uniform(0, 255, (2, SIDE, SIDE, 3))
    expected = outputs_of(model, images)
    np.testing.assert_array_equal(outputs_of(flat, images), expected)


@pytest.mark.parametrize("make", NESTED)
def test_weights_come_back_from_the_flat_copy(make):
    model = make()
    flat = graph.flatten(model)
    rng = np.random.default_rng(0)
    changed = [rng.uniform(0.5, 1, array.shape) for array in flat.get_weights()]
    flat.set_weights(changed)
    graph.copy_weights(flat, model)
    images = rng.uniform(0, 255, (2, SIDE, SIDE, 3))
    expected = outputs_of(flat, images)
    np.testing.assert_array_equal(outputs_of(model, images), expected)


def test_what_is_flat_stays_the_same_object():
    for model in (base(), functional(), stock()):
        assert graph.flatten(model) is model


def test_the_copy_is_trained_as_the_network_is():
    """Keras puts the argument of a call above the `training=False` of the base."""
    model = twice_nested()
    inner = model.get_layer("inner")
    inner.layers[-1].rate = 0  # of dropout
    images = np.random.default_rng(0).uniform(0, 255, (2, SIDE, SIDE, 3))
    flat = graph.flatten(model)
    trained = flat(images, training=True)
    np.testing.assert_allclose(trained, model(images, training=True), rtol=1e-5)
    assert np.abs(trained - flat(images)).max() > 1e-3
    inner.trainable = False
    flat = graph.flatten(model)
    assert len(flat.trainable_weights) == len(model.trainable_weights) == 2
    np.testing.assert_allclose(flat(images, training=True), flat(images), rtol=1e-6)


def test_the_copy_of_another_network_is_refused():
    with pytest.raises(ValueError, match="must be the same network, but only"):
        graph.copy_weights(sequential(), functional())


def test_subclassed_models_are_refused():
    class Own(keras.Model):
        def call(self, inputs):
            return inputs

    with pytest.raises(ValueError, match="model must be functional, or sequential"):
        graph.flatten(Own())


def squeezenet(**arguments):
    return mobilenet_tf.build_squeezenet("1.1", resolution=SIDE, classes=3, **arguments)


@pytest.mark.parametrize(
    ("model", "layer", "activation", "classes"),
    [
        (sequential, "dense", "linear", 5),
        (functional, "dense", "softmax", 5),
        (twice_nested, "dense", "sigmoid", 4),
        (stock, "conv_preds", "linear", 6),
        (build, "classifier", "softmax", 3),
        (squeezenet, "conv10", "softmax", 3),
        (lambda: squeezenet(classifier_activation=None), "conv10", "linear", 3),
        (lambda: baselines.alexnet(3, 67), "fc8", "softmax", 3),
    ],
)
def test_head(model, layer, activation, classes):
    head = graph.head(model())
    assert head.layer.name.startswith(layer)
    assert (head.activation, head.classes) == (activation, classes)


@pytest.mark.parametrize("pooling", [None, "avg", "max"])
def test_features_have_no_head(pooling):
    assert graph.head(base(pooling=pooling)) is None
    body = mobilenet_tf.build_squeezenet(
        resolution=SIDE, include_top=False, pooling=pooling
    )
    assert graph.head(body) is None


def test_an_embedding_of_rectified_units_has_no_head():
    body = base()
    assert (
        graph.head(keras.Model(body.input, layers.Dense(8, "relu")(body.output)))
        is None
    )


def test_input_range():
    assert graph.input_range(sequential()) == (0, 255)
    assert graph.input_range(twice_nested()) == (0, 255)
    for model in (functional(), stock(), base(), baselines.alexnet(3, 67)):
        assert graph.input_range(model) == (-1, 1)
    images = keras.Input((SIDE, SIDE, 3))
    own = keras.Sequential([images, layers.Conv2D(4, 3), layers.Flatten()])
    assert graph.input_range(own) is None
    scaled = keras.Sequential([images, layers.Rescaling(2.0, -1), layers.Conv2D(4, 3)])
    assert graph.input_range(scaled) == (0, 1)
