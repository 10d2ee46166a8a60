"""Fewer channels and low rank; the Model Optimization Toolkit is not needed."""

import keras
import numpy as np
import pytest
from compressible import LEARNING, NETWORKS, QUICK, images, quiet
from conftest import outputs_of

from mobilenet_tf.analysis import cost
from mobilenet_tf.compression import kernels
from mobilenet_tf.compression.channels import remove_channels
from mobilenet_tf.compression.low_rank import low_rank

BAD = [
    (remove_channels, {"fraction": 1.0}, r"fraction must be a number in \[0, 1\)"),
    (low_rank, {"fraction": 0.5}, "has no fully connected layer"),
]


@pytest.mark.parametrize(("step", "given", "message"), BAD)
def test_bad_arguments(trained, stripes, step, given, message):
    with pytest.raises(ValueError, match=message):
        step(trained, stripes, QUICK, **given)


@pytest.mark.parametrize("name", ["mobilenet", "separable", "squeezenet", "complex"])
def test_removing_zero_channels_changes_nothing(name):
    model = NETWORKS[name]()
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, *rest = layer.get_weights()
            layer.set_weights([gamma * rng.uniform(0.5, 1, gamma.shape), *rest])
    chosen, _ = kernels.chosen(model, depthwise=False, skip=())
    for name, kernel in chosen.items():
        dead = rng.permutation(kernel.shape[-1])[: kernel.shape[-1] // 2]
        dead = np.isin(range(kernel.shape[-1]), dead)
        kernels.replace(model, {name: np.where(dead, 0, kernel)})
    narrow = remove_channels(model, fraction=0.5, report=quiet)
    assert cost.mult_adds(narrow) < 0.7 * cost.mult_adds(model)
    x = images(model)
    np.testing.assert_allclose(outputs_of(narrow, x), outputs_of(model, x), atol=1e-5)


def test_channels_before_a_flat_layer():
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(6, 3, name="conv")(image)
    x = keras.layers.Flatten()(x)
    model = keras.Model(image, keras.layers.Dense(4, name="dense")(x))
    kernel, bias = model.get_layer("conv").get_weights()
    kernel[..., [1, 4]] = 0
    model.get_layer("conv").set_weights([kernel, bias])
    narrow = remove_channels(model, fraction=0.3, report=quiet)
    assert narrow.get_layer("conv").filters == 5
    x = images(model)
    np.testing.assert_allclose(outputs_of(narrow, x), outputs_of(model, x), atol=1e-5)


def test_removed_channels_are_trained(trained, stripes):
    reports = []
    narrow = remove_channels(
        trained, stripes, LEARNING, fraction=0.25, report=reports.append
    )
    assert narrow.get_layer("block1_pointwise").filters == 12
    assert reports[0].top1[1] > 0.8


def test_low_rank():
    image = keras.Input((20,))
    x = keras.layers.Dense(30, activation="relu", name="hidden")(image)
    model = keras.Model(image, keras.layers.Dense(10, name="last")(x))
    left, right = np.random.default_rng(0).normal(size=(2, 30, 30))
    hidden = (left[:20, :6] @ right[:6]).astype("float32")
    model.get_layer("hidden").set_weights([hidden, np.zeros(30, "float32")])
    small = low_rank(model, fraction=0.9, report=quiet)
    assert small.get_layer("hidden_factor").units == 10
    x = np.random.default_rng(1).normal(size=(5, 20)).astype("float32")
    first, second = (
        keras.Model(network.inputs, network.get_layer("hidden").output)(x)
        for network in (model, small)
    )
    np.testing.assert_allclose(first, second, atol=1e-4)


def test_low_rank_leaves_a_classifier_as_it_is():
    image = keras.Input((200,))
    x = keras.layers.Dense(300, name="hidden")(image)
    model = keras.Model(image, keras.layers.Dense(10, name="last")(x))
    reports = []
    small = low_rank(model, fraction=0.2, skip=["last"], report=reports.append)
    names = [layer.name for layer in small.layers if layer.weights]
    assert names == ["hidden_factor", "hidden", "last"]
    assert reports[0].left_out == ("last",)
    kernel, _ = model.get_layer("last").get_weights()
    np.testing.assert_array_equal(small.get_layer("last").get_weights()[0], kernel)
    with pytest.raises(ValueError, match="skip must be one of 'hidden', 'last'"):
        low_rank(model, fraction=0.2, skip=["image"], report=quiet)
    with pytest.raises(ValueError, match="no fully connected layer to factorise"):
        low_rank(model, fraction=0.2, skip=["hidden", "last"], report=quiet)


def test_low_rank_twice():
    image = keras.Input((200,))
    x = keras.layers.Dense(300, name="hidden")(image)
    model = keras.Model(image, keras.layers.Dense(100, name="last")(x))
    half = low_rank(model, fraction=0.5, skip=["last"], report=quiet)
    with pytest.raises(ValueError, match="'hidden' is factorised already"):
        low_rank(half, fraction=0.5, report=quiet)
    reports = []
    skip = ["hidden", "hidden_factor"]
    low_rank(half, fraction=0.5, skip=skip, report=reports.append)
    assert reports[0].left_out == ("hidden_factor", "hidden")


def test_channels_before_multipliers_and_other_joins_stay():
    images = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(8, 3, padding="same", name="first")(images)
    x = keras.layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2)(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.SeparableConv2D(8, 3, padding="same", depth_multiplier=2)(x)
    y = keras.layers.Conv2D(8, 1, name="second")(x)
    x = keras.layers.Concatenate(axis=1)([x, y])
    x = keras.layers.Conv2D(6, 1, name="third")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(images, keras.layers.Dense(4)(x))
    small = remove_channels(model, fraction=0.5, report=quiet)
    assert small.output_shape == (None, 4)
    assert small.get_layer("first").filters == small.get_layer("second").filters == 8
    assert small.get_layer("third").filters == 3


@pytest.mark.parametrize("end", ["reshape", "broadcast"])
def test_channels_that_are_mixed_later_stay(end):
    images = keras.Input((4, 4, 3))
    x = keras.layers.Conv2D(8, 1, name="first")(images)
    y = keras.layers.Conv2D(6, 1, name="second")(x)
    if end == "reshape":
        y = keras.layers.Reshape((96,))(y)
    else:
        single = keras.layers.Conv2D(1, 1, name="single")(x)
        y = keras.layers.Flatten()(keras.layers.Add()([single, y]))
    model = keras.Model(images, keras.layers.Dense(4)(y))
    kernel, bias = model.get_layer("first").get_weights()
    kernel[..., :4] = 0
    model.get_layer("first").set_weights([kernel, bias])
    small = remove_channels(model, fraction=0.5, report=quiet)
    widths = [small.get_layer(name).filters for name in ("first", "second")]
    assert widths == [4, 6]
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype("float32")
    np.testing.assert_allclose(outputs_of(small, x), outputs_of(model, x), atol=1e-5)
