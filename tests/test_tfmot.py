"""The bridge to the Model Optimization Toolkit: what crosses it, and how it trains."""

import keras
import numpy as np
import pytest
from compressible import NETWORKS, QUICK, grouped, images
from conftest import outputs_of

bridge = pytest.importorskip("mobilenet_tf.compression.tfmot")


def both_kinds(builds):
    """Of layers in turn, of each network; all of both kinds with --thorough."""
    for index, build in enumerate(builds):
        for stock in (True, False):
            marks = [] if stock == index % 2 else [pytest.mark.thorough]
            yield pytest.param(build, stock, marks=marks)


@pytest.mark.parametrize(
    ("build", "stock"), list(both_kinds([*NETWORKS.values(), grouped]))
)
def test_networks_cross_the_bridge_unchanged(build, stock):
    model = build()
    x = images(model)
    copy = bridge.to_tf_keras(model, stock=stock)
    np.testing.assert_allclose(outputs_of(copy, x), outputs_of(model, x), atol=1e-6)


def test_what_crosses_to_be_trained_gives_logits():
    x = keras.Input((8, 8, 3))
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    softmax = keras.layers.Softmax(name="softmax")(pooled)
    sigmoid = keras.layers.Activation("sigmoid", name="sigmoid")(pooled)
    for end in (pooled, softmax, sigmoid):
        copy = bridge.to_tf_keras(keras.Model(x, end), recipe=QUICK)
        np.testing.assert_allclose(copy(np.ones((1, 8, 8, 3), "float32")), 1.0)


def test_the_toolkit_leaves_tensorflow_alone():
    import os

    import tensorflow as tf

    assert tf.keras.__version__.startswith("3.")
    assert "TF_USE_LEGACY_KERAS" not in os.environ


def test_lookup_is_the_toolkits():
    import tensorflow as tf

    from mobilenet_tf.compression.tfmot import wrappers

    rng = np.random.default_rng(0)
    weights = tf.constant(rng.normal(size=(3, 3, 5, 7)).astype("float32"))
    values = tf.Variable(rng.normal(size=16).astype("float32"))  # in no order
    ours = wrappers._SortedLookup(values).get_pulling_indices(weights)
    theirs = wrappers.ClusteringAlgorithm(values).get_pulling_indices(weights)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


def test_a_shared_value_moves_as_fast_as_its_weights_would():
    """By the mean of their gradients: rates that suit weights suit values."""
    from mobilenet_tf.compression.tfmot.packages import tf, tf_keras

    images = tf_keras.Input((8,))
    dense = tf_keras.layers.Dense(1, use_bias=False, name="dense")
    body = tf_keras.Model(images, dense(images))
    kernel = np.array([-1, -1, -1, -1, -1, -1, 2, 2], "float32")[:, None]
    body.set_weights([kernel])
    wrapping = bridge.Clustering({"dense": np.array([-1, 2], "float32")})
    wrapped = wrapping.wrap(body, 1)
    x = tf.constant(np.arange(8, dtype="float32")[None])
    with tf.GradientTape() as tape:
        output = tf.reduce_sum(wrapped(x, training=True))
    (values,) = wrapped.get_layer("cluster_dense").cluster_centroids.values()
    np.testing.assert_allclose(tape.gradient(output, values), [2.5, 6.5])
