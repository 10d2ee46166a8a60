"""Compression of networks with a model inside and a head of the user's own."""

import dataclasses

import heads
import keras
import numpy as np
import pytest
from compressible import (
    LEARNING,
    ONCE,
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
codec = pytest.importorskip("mobilenet_tf.codec")
# Three steps, in which the moving statistics must follow half of the weights going.
BRIEF = dataclasses.replace(
    LEARNING, epochs=1, batch_size=32, learning_rate=0.01, bn_momentum=0.5
)


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


def test_the_network_is_trained(nested, stripes):
    assert accuracy(nested, stripes) >= 0.9


@pytest.mark.parametrize("name", heads.HEADS)
def test_prune_cluster_quantize(name, nested, stripes, eagerly):
    """The head is compressed as other layers are; then the file of the codec."""
    is_trained = name == "sequential"
    model = nested if is_trained else heads.HEADS[name]()
    recipe = BRIEF if is_trained else ONCE
    classifier = graph.head(model).layer.name
    results = [model]
    for step, settings in (
        (steps.prune, {"sparsity": 0.5}),
        (steps.cluster, {"clusters": 32}),
        (steps.quantize, {}),
    ):
        before = copy_of(results[-1])
        result = step(results[-1], stripes, recipe, report=quiet, **settings)
        same_bits(results[-1], before)
        assert not any(isinstance(layer, keras.Model) for layer in result.layers)
        assert graph.input_range(result) == graph.input_range(model)
        assert graph.head(result).layer.name == classifier
        assert not is_trained or accuracy(result, stripes) >= 0.9
        results.append(result)
    _, pruned, shared, quantized = map(values, results)
    assert classifier in quantized
    for name in pruned:
        zeros, size = pruned[name] == 0, pruned[name].size
        if "depthwise" not in name:
            assert abs(np.mean(zeros) - 0.5) <= 1 / size, name
        for kernel in (shared[name], quantized[name]):
            assert len(np.unique(kernel)) <= 32, name
            assert not kernel[zeros].any(), name
        assert (quantized[name] != shared[name]).any(), name
    same_bits(codec.decode(codec.encode(result)), result)


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
