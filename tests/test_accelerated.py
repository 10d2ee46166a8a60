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
from mobilenet_tf.training.accelerated import MatrixProductConv2D, is_pointwise


def both_gradients(layers, inputs):
    """Outputs and gradients of layers with the same weights."""
    results = []
    for layer in layers:
        layer.build(inputs.shape)
        layer.set_weights(layers[0].get_weights())
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs)
            loss = tf.reduce_mean(tf.sin(outputs))
        results.append([outputs, *tape.gradient(loss, [inputs, *layer.weights])])
    return results


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
    for ours, theirs in zip(*both_gradients([fast, stock], inputs), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5, rtol=1e-5)


def test_kernels_are_those_that_the_user_chooses():
    on = os.environ["TF_ENABLE_ONEDNN_OPTS"] == "1"
    assert processor.kernels() == ("onednn" if on else "eigen")


OTHER_KERNELS = """
import test_accelerated as tests

tests.test_kernels_are_those_that_the_user_chooses()
for options in tests.CONVOLUTIONS:
    tests.test_a_matrix_product_equals_the_stock_convolution(options)
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
