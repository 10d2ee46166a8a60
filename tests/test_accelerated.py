"""The layers of the training model compute what the stock layers do."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT, import_path

from mobilenet_tf import processor
from mobilenet_tf.training.accelerated import (
    MatrixProductConv2D,
    SplitConv2D,
    class_for,
    is_pointwise,
)


def assert_the_same(fast, stock, inputs):
    """Outputs, gradients and, after a call in training, all weights of two layers."""
    results = []
    for layer in (fast, stock):
        layer.build(inputs.shape)
        layer.set_weights(fast.get_weights())
    for layer in (fast, stock):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, training=True)
            loss = tf.reduce_sum(tf.sin(outputs))
        gradients = tape.gradient(loss, [inputs, *layer.trainable_weights])
        results.append([outputs, *gradients, *layer.weights])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5, rtol=1e-5)


CONVOLUTIONS = (
    {"use_bias": False},
    {"activation": "relu6", "bias_initializer": "glorot_uniform"},
    {"padding": "same", "activation": None, "dilation_rate": 2},
)


@pytest.mark.parametrize("options", CONVOLUTIONS)
def test_a_matrix_product_equals_the_stock_convolution(options):
    inputs = tf.random.stateless_normal((3, 5, 7, 16), (0, 1))
    keras.utils.set_random_seed(0)
    stock = keras.layers.Conv2D(24, 1, **options)
    fast = MatrixProductConv2D.from_config(stock.get_config())
    assert_the_same(fast, stock, inputs)


@pytest.mark.parametrize("strides", [1, 2])
def test_groups_one_after_the_other_equal_the_stock_convolution(strides):
    inputs = tf.random.stateless_normal((2, 7, 5, 8), (0, 1))
    keras.utils.set_random_seed(0)
    stock = keras.layers.Conv2D(
        12, 3, strides, "same", groups=4, activation="relu6", bias_initializer="normal"
    )
    assert class_for(stock) is SplitConv2D
    assert_the_same(SplitConv2D.from_config(stock.get_config()), stock, inputs)


@pytest.mark.parametrize("momentum", [0.9, 0.99])
def test_normalisation_in_one_kernel_equals_the_stock_one(momentum):
    inputs = 2 + 3 * tf.random.stateless_normal((4, 5, 3, 6), (0, 1))
    keras.utils.set_random_seed(0)
    scales = keras.initializers.RandomUniform(0.5, 1.5)
    stock = keras.layers.BatchNormalization(
        momentum=momentum, gamma_initializer=scales, beta_initializer="normal"
    )
    kind = class_for(stock)
    assert kind is not keras.layers.BatchNormalization
    assert_the_same(kind.from_config(stock.get_config()), stock, inputs)


def test_kernels_are_those_that_the_user_chooses():
    on = os.environ["TF_ENABLE_ONEDNN_OPTS"] == "1"
    assert processor.kernels() == ("onednn" if on else "eigen")


OTHER_KERNELS = """
import test_accelerated as tests

tests.test_kernels_are_those_that_the_user_chooses()
for options in tests.CONVOLUTIONS:
    tests.test_a_matrix_product_equals_the_stock_convolution(options)
for strides in (1, 2):
    tests.test_groups_one_after_the_other_equal_the_stock_convolution(strides)
tests.test_normalisation_in_one_kernel_equals_the_stock_one(0.9)
"""


def test_and_so_with_the_other_kernels():
    on = os.environ["TF_ENABLE_ONEDNN_OPTS"] == "1"
    subprocess.run(
        [sys.executable, "-c", OTHER_KERNELS],
        env={
            **os.environ,
            "TF_ENABLE_ONEDNN_OPTS": "0" if on else "1",
            "PYTHONPATH": import_path(ROOT, ROOT / "tests"),
        },
        check=True,
    )


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (keras.layers.Conv2D(4, 1), True),
        (keras.layers.Conv2D(4, 3), False),
        (keras.layers.Conv2D(4, 1, strides=2), False),
        (keras.layers.Conv2D(4, 1, groups=2), False),
        (keras.layers.Conv2D(4, 1, data_format="channels_first"), False),
        (keras.layers.DepthwiseConv2D(1), False),
    ],
)
def test_which_layers_are_pointwise(layer, expected):
    assert is_pointwise(layer) == expected
