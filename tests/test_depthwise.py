"""Depthwise filters of one scale: what the network computes stays, how it turns not."""

import keras
import numpy as np
import pytest

import mobilenet_tf
from mobilenet_tf.training.depthwise import scale_filters


@pytest.fixture
def network():
    """MobileNet with statistics as after training: variances far from 1, some tiny."""
    keras.utils.set_random_seed(0)
    model = mobilenet_tf.build(0.25, base_resolution=32, classes=5)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            scale, offset, mean, variance = layer.get_weights()
            mean = rng.normal(0, 0.1, mean.shape)
            variance = np.exp(rng.normal(-2, 3, variance.shape))
            layer.set_weights([scale, offset, mean, variance])
    return model


def norms(layer):
    kernel = layer.get_weights()[0]
    return np.sqrt((kernel**2).sum((0, 1))).ravel()


def depthwise(model):
    kind = keras.layers.DepthwiseConv2D
    return [layer for layer in model.layers if isinstance(layer, kind)]


def images(count=4):
    return np.random.default_rng(1).uniform(-1, 1, (count, 32, 32, 3)).astype("float32")


@pytest.mark.parametrize("norm", [0.01, 3.0])
def test_outputs_stay(network, norm):
    expected = network.predict(images(), verbose=0)
    assert scale_filters(network, norm) == 13
    found = network.predict(images(), verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_filters_have_the_norm(network):
    first = depthwise(network)[0]
    kernel = first.get_weights()[0]
    kernel[..., 0, :] = 0  # a pruned filter
    first.set_weights([kernel])
    scale_filters(network, 3.0)
    (zero, *others), *rest = map(norms, depthwise(network))
    assert zero == 0
    np.testing.assert_allclose(np.concatenate([others, *rest]), 3.0, rtol=1e-5)


def test_models_inside_a_model_are_scaled(network):
    inputs = keras.Input((32, 32, 3))
    outer = keras.Model(inputs, network(inputs))
    expected = outer.predict(images(), verbose=0)
    assert scale_filters(outer, 3.0) == 13
    np.testing.assert_allclose(norms(depthwise(network)[5]), 3.0, rtol=1e-5)
    found = outer.predict(images(), verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_only_what_normalisation_undoes_is_scaled():
    """A bias, an activation, a second reader and a second input each see the scale."""
    layers = keras.layers
    inputs = keras.Input((8, 8, 4))
    biased = layers.DepthwiseConv2D(3, bias_initializer="ones")(inputs)
    active = layers.DepthwiseConv2D(3, use_bias=False, activation="relu6")(inputs)
    shared = layers.DepthwiseConv2D(3, use_bias=False)(inputs)
    bare = layers.DepthwiseConv2D(3, use_bias=False)(inputs)
    normalized = [layers.BatchNormalization()(x) for x in (biased, active, shared)]
    twice = layers.BatchNormalization()
    normalized += [
        twice(layers.DepthwiseConv2D(3, use_bias=False)(inputs)) for _ in range(2)
    ]
    model = keras.Model(inputs, layers.Add()([*normalized, shared, bare]))
    before = model.get_weights()
    assert scale_filters(model, 3.0) == 0
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_step_turns_large_filters_less():
    """By the angle over the square of the norm: the gradient is smaller, too."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 16)),
            layers.DepthwiseConv2D(3, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4, activation="softmax"),
        ]
    )
    rng = np.random.default_rng(0)
    batch, labels = rng.normal(0, 1, (32, 8, 8, 16)), np.arange(32) % 4
    turned = []
    for norm in (1.0, 2.0):
        scale_filters(model, norm)
        start = model.get_weights()
        model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
        model.train_on_batch(batch, labels)
        after = model.get_weights()[0]
        turned.append(np.linalg.norm(after - start[0]) / np.linalg.norm(start[0]))
        model.set_weights(start)
    assert turned[0] / turned[1] == pytest.approx(4, rel=0.02)
