import keras
import numpy as np
import pytest
from keras import layers

import mobilenet_tf
from mobilenet_tf.analysis import cost
from mobilenet_tf.analysis.deferred import without_weights
from mobilenet_tf.models import baselines
from mobilenet_tf.models.blocks import fused_separable, shuffled_separable


def one_layer(layer, shape=(14, 14, 8)):
    images = keras.Input(shape)
    return keras.Model(images, layer(images))


@pytest.mark.parametrize(
    ("layer", "mult_adds", "weights"),
    [
        (layers.Conv2D(6, 3, padding="same"), 14 * 14 * 9 * 8 * 6, 432),
        (layers.Conv2D(6, 3), 12 * 12 * 9 * 8 * 6, 432),
        (layers.Conv2D(6, 3, strides=2, padding="same"), 7 * 7 * 9 * 8 * 6, 432),
        (layers.Conv2D(6, 3, dilation_rate=2), 10 * 10 * 9 * 8 * 6, 432),
        (layers.Conv2D(6, 3, groups=2, padding="same"), 14 * 14 * 9 * 4 * 6, 216),
        (layers.Conv2D(6, (1, 5), padding="same"), 14 * 14 * 5 * 8 * 6, 240),
        (layers.DepthwiseConv2D(3, padding="same"), 14 * 14 * 9 * 8, 72),
        (layers.DepthwiseConv2D(3, depth_multiplier=2), 12 * 12 * 9 * 16, 144),
        (
            layers.SeparableConv2D(6, 3, strides=2, padding="same"),
            7 * 7 * (9 * 8 + 8 * 6),
            72 + 48,
        ),
        (layers.Dense(5), 14 * 14 * 8 * 5, 40),
    ],
)
def test_single_layers(layer, mult_adds, weights):
    model = one_layer(layer)
    assert cost.mult_adds(model) == mult_adds
    assert cost.parameters(model) == weights
    biases = layer.bias.shape[0]
    assert cost.parameters(model, "slim") == weights + biases
    assert cost.parameters(model, "keras") == weights + biases


def test_mult_adds_equal_multiplications_done():
    """Counted on the arithmetic itself: ones in, so the output counts its products."""
    layer = layers.Conv2D(
        4, 3, groups=2, strides=2, kernel_initializer="ones", use_bias=False
    )
    model = one_layer(layer, (9, 9, 6))
    outputs = model(np.ones((1, 9, 9, 6), "float32"))
    assert cost.mult_adds(model) == int(keras.ops.sum(outputs))


def test_nested_models_count():
    inner = mobilenet_tf.build(0.25, base_resolution=32, classes=2)
    images = keras.Input((32, 32, 3))
    outer = keras.Model(images, inner(layers.Rescaling(2)(images)))
    assert cost.mult_adds(outer) == cost.mult_adds(inner)
    assert cost.parameters(outer) == cost.parameters(inner)


def test_fused_block_costs_the_same():
    assert cost.mult_adds(mobilenet_tf.build(block=fused_separable)) == 568_740_352


def test_conventions():
    model = mobilenet_tf.build()
    # Weights; plus 1,000 biases and 3 per channel; keras.applications' count_params.
    assert cost.parameters(model, "weights") == 4_209_088
    assert cost.parameters(model, "slim") == 4_209_088 + 1000 + 3 * 10_944
    assert cost.parameters(model, "keras") == 4_253_864


def test_summary_lists_actual_widths():
    lines = cost.summary(mobilenet_tf.build(0.33, base_resolution=32)).splitlines()
    assert lines[0].split() == ["layer", "kind", "output", "mult-adds", "weights"]
    assert lines[1].split() == ["stem", "Conv", "3x3", "16x16x11", "76,032", "297"]
    assert lines[-1].split()[0] == "total"


def test_unknown_layer_is_an_error():
    model = one_layer(layers.Conv2DTranspose(4, 3, name="upsample"))
    with pytest.raises(ValueError, match="'upsample' of type Conv2DTranspose"):
        cost.mult_adds(model)


def test_no_fixed_size_is_an_error():
    model = one_layer(layers.Conv2D(4, 3), (None, None, 3))
    with pytest.raises(ValueError, match="fixed input size"):
        cost.mult_adds(model)


def test_unknown_convention():
    with pytest.raises(ValueError, match="convention must be one of 'weights', 'slim'"):
        cost.parameters(mobilenet_tf.build(0.25, base_resolution=32), "tf")


def test_operation_that_computes_is_an_error():
    images = keras.Input((8, 8, 3))
    kernel = np.ones((3, 3, 3, 4), "float32")
    model = keras.Model(images, keras.ops.conv(images, kernel))
    with pytest.raises(ValueError, match="of type Conv is unknown"):
        cost.mult_adds(model)


def test_layer_used_twice_is_an_error():
    images = keras.Input((8, 8, 3))
    shared = layers.Conv2D(3, 3, padding="same", name="shared")
    with pytest.raises(ValueError, match="'shared' is used 2 times"):
        cost.mult_adds(keras.Model(images, shared(shared(images))))


def test_layer_that_was_used_elsewhere_before():
    convolution = layers.Conv2D(4, 3, padding="same")
    convolution(keras.Input((32, 32, 3)))
    images = keras.Input((8, 8, 3))
    model = keras.Model(images, convolution(images))
    assert cost.mult_adds(model) == 8 * 8 * 27 * 4


def test_channels_first_is_an_error():
    layer = layers.Conv2D(4, 3, data_format="channels_first", name="first")
    with pytest.raises(ValueError, match="'first' must be channels_last"):
        cost.mult_adds(one_layer(layer, (3, 8, 8)))


def test_sequential_models_count():
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(4, 1)])
    assert cost.mult_adds(model) == 8 * 8 * 3 * 4


@pytest.mark.parametrize(
    "build",
    [
        lambda: mobilenet_tf.build(0.25, block=shuffled_separable, classes=7),
        lambda: mobilenet_tf.build_squeezenet(bypass="complex", classes=7),
        lambda: one_layer(layers.SeparableConv2D(6, 3, activation="relu", name="both")),
    ],
)
def test_costs_without_weights_are_those_with_weights(build):
    def costs():
        model = build()
        return cost.per_layer(model), cost.parameters(model, "keras")

    counted, expected = without_weights(costs), costs()
    assert counted[1] == expected[1]
    for ours, theirs in zip(counted[0], expected[0], strict=True):
        if ours.weights:
            assert ours == theirs


def test_no_weights_are_drawn_then_or_later(monkeypatch):
    monkeypatch.setattr(keras.initializers.VarianceScaling, "__call__", pytest.fail)
    monkeypatch.setattr(keras.initializers.RandomNormal, "__call__", pytest.fail)
    assert without_weights(lambda: baselines.vgg16().count_params()) == 138_357_544
    with keras.StatelessScope():
        pass  # at its end Keras draws the weights that are missing


def test_an_error_while_counting_is_passed_on():
    with pytest.raises(ValueError, match="alpha must be"):
        without_weights(lambda: cost.mult_adds(mobilenet_tf.build(-1)))
