"""Compression of networks with a model inside and a head of the user's own."""

import dataclasses

import keras
import numpy as np
import pytest
from compressible import (
    LEARNING,
    copy_of,
    in_a_sequence,
    mobilenet,
    quiet,
    same_bits,
    values,
)
from conftest import outputs_of

from mobilenet_tf.compression import low_rank, remove_channels, steps
from mobilenet_tf.models import graph

pytest.importorskip("mobilenet_tf.compression.tfmot")
BRIEF = dataclasses.replace(LEARNING, epochs=2, learning_rate=0.01)


@pytest.fixture(scope="module")
def nested(trained):
    """`Sequential([Rescaling, base, Dense])` that takes pixels and knows the stripes.

    The base is a trained MobileNet without its classifier, which gives the Dense layer
    its weights.
    """
    classifier = trained.get_layer("classifier")
    features = keras.Model(trained.input, classifier.input, name="base")
    model = in_a_sequence(copy_of(features))
    model.get_layer("predictions").set_weights(classifier.get_weights())
    return model


def accuracy(model, data):
    """Share of evaluation images that a network of pixels classifies correctly.

    Computed without the training clone: a central crop of the model's own side.
    """
    batch = data.evaluation.contents
    border = (data.side - model.input_shape[1]) // 2
    pixels = batch.images.transpose(0, 1, 3, 2)  # stored as (rows, channels, columns)
    pixels = pixels[:, border:-border, border:-border].astype("float32")
    return np.mean(outputs_of(model, pixels).argmax(1) == batch.labels)


def kernel_names(model):
    return [name for name in values(model) if "depthwise" not in name]


def check(step, model, data, **settings):
    """Run a step, and check what is promised of every step."""
    before = copy_of(model)
    result = step(model, data, BRIEF, report=quiet, **settings)
    same_bits(model, before)
    assert not any(isinstance(layer, keras.Model) for layer in result.layers)
    assert isinstance(result.layers[1], keras.layers.Rescaling)
    assert accuracy(result, data) >= 0.9
    return result


def test_the_network_is_trained(nested, stripes):
    assert accuracy(nested, stripes) >= 0.9


def unchanged(model):
    return model


def inputs_in_a_list(model):
    """A flat copy, built from a list of one input."""
    flat = graph.flatten(model)
    return keras.Model([flat.input], flat.output)


@pytest.mark.parametrize("form", [unchanged, inputs_in_a_list])
def test_prune(nested, stripes, form, eagerly):
    result = check(steps.prune, form(nested), stripes, sparsity=0.5)
    for name in kernel_names(result):
        kernel = values(result)[name]
        assert abs(np.mean(kernel == 0) - 0.5) <= 1 / kernel.size, name


def test_cluster_then_quantize(nested, stripes):
    shared = check(steps.cluster, nested, stripes, clusters=32)
    assert all(len(np.unique(kernel)) <= 32 for kernel in values(shared).values())
    result = check(steps.quantize, shared, stripes)
    for name, kernel in values(result).items():
        assert len(np.unique(kernel)) <= 32, name
        assert (kernel != values(shared)[name]).any(), name


def test_fewer_channels_and_low_rank_without_training():
    """What is removed is zero, so the network computes what it did."""
    base = mobilenet(include_top=False, pooling="avg")
    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([array + 0.25 for array in layer.get_weights()])
    model = in_a_sequence(base)
    kernel, bias = model.get_layer("predictions").get_weights()
    narrow = remove_channels(model, fraction=0.25, report=quiet)
    assert narrow.get_layer("block1_pointwise").filters == 12
    assert narrow.input_shape == model.input_shape
    assert narrow.output_shape == model.output_shape
    kernel = np.outer(kernel[:, 0], [1, 2]).astype("float32")  # of rank 1
    model.get_layer("predictions").set_weights([kernel, bias])
    thin = low_rank(model, fraction=0.6, report=quiet)
    assert thin.get_layer("predictions_factor").units == 1
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3))
    np.testing.assert_allclose(
        outputs_of(thin, pixels), outputs_of(model, pixels), atol=1e-5
    )
