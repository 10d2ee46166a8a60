"""Batch normalisation of published weights, before they are trained."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from compressible import squeezenet
from conftest import outputs_of
from trainable import QUICK, small_model

import mobilenet_tf
from mobilenet_tf import compression
from mobilenet_tf.data.boxes import central_boxes
from mobilenet_tf.models import weight_loading
from mobilenet_tf.models.merged import is_merged
from mobilenet_tf.training import evaluate, fit
from mobilenet_tf.training.cropping import CropResize
from mobilenet_tf.training.normalization import (
    estimate_statistics,
    recalibrate_batch_norm,
)


@pytest.fixture
def merged(trained):
    """The same network, with mean 0 and variance 1 everywhere and larger kernels."""
    model = keras.models.clone_model(trained)
    model.set_weights(trained.get_weights())
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            scale = gamma / np.sqrt(variance + layer.epsilon)
            one = np.ones_like(variance)
            offset = beta - scale * mean
            layer.set_weights([scale / 9, offset, 0 * one, one - layer.epsilon])
            convolution = model.get_layer(layer.name.removesuffix("_bn"))
            convolution.set_weights([9 * convolution.get_weights()[0]])
    return model


def test_outputs_stay_in_training_too(trained, merged, stripes):
    images = stripes.train.contents.images
    crop = CropResize(merged.input_shape[1])
    crops = crop([images, central_boxes(len(images), 1.0)])
    expected = outputs_of(trained, crops)

    def difference(training):
        weights = merged.get_weights()
        outputs = keras.ops.convert_to_numpy(merged(crops, training=training))
        merged.set_weights(weights)  # training moves the statistics
        return np.abs(outputs - expected).max()

    assert difference(training=False) < 1e-5
    assert difference(training=True) > 0.1
    recalibrate_batch_norm(merged, stripes)
    assert difference(training=False) < 1e-4
    assert difference(training=True) < 1e-4


def test_merged_statistics_are_told_from_fresh_ones(trained, merged):
    assert is_merged(merged)
    assert not is_merged(trained)
    assert not is_merged(small_model())
    assert not is_merged(squeezenet())


def test_loading_a_merged_file_names_the_cure(merged, tmp_path):
    path = tmp_path / "merged.weights.h5"
    merged.save_weights(path)
    with pytest.warns(UserWarning, match="recalibrate_batch_norm"):
        weight_loading.load(merged, weight_loading.read(path))


def test_the_published_files(shared):
    """Those beside the checkout are converted from Google's quantised release."""
    (path,) = (shared / "weights").glob("mobilenet_0.25_128*.h5")
    with pytest.warns(UserWarning, match="is merged into the convolutions"):
        mobilenet_tf.build(0.25, base_resolution=128, weights=path)


@pytest.mark.parametrize("kind", ["array", "dataset", "labelled dataset"])
def test_images_of_any_kind(kind, merged, stripes):
    crop = CropResize(merged.input_shape[1])
    images = stripes.train.contents.images
    array = np.array(crop([images, central_boxes(len(images), 1.0)]))
    sources = {
        "array": array,
        "dataset": tf.data.Dataset.from_tensor_slices(array).batch(40),
        "labelled dataset": [(array[:50], 0), (array[50:], 1)],
    }
    recalibrate_batch_norm(merged, sources[kind])
    assert not is_merged(merged)
    outputs = merged(array, training=True)
    np.testing.assert_allclose(outputs, outputs_of(merged, array), atol=0.05)


def test_images_of_another_shape(merged):
    with pytest.raises(ValueError, match=r"images must be of the shape \(images"):
        recalibrate_batch_norm(merged, np.zeros((4, 8, 8, 3)))


def test_fit_recalibrates_by_itself(merged, stripes, eagerly):
    """A learning rate of nearly zero: what the network had learnt is still there."""
    before = evaluate(merged, stripes).top1
    recipe = dataclasses.replace(QUICK, learning_rate=1e-6, epochs=1)
    fit(merged, stripes, recipe)
    assert not is_merged(merged)
    assert evaluate(merged, stripes).top1 == pytest.approx(before, abs=0.05)


def test_a_network_without_batch_normalisation_stays(stripes):
    model = squeezenet()
    before = model.get_weights()
    recalibrate_batch_norm(model, stripes)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_steps_of_compression_train_merged_networks(merged, stripes, eagerly):
    before = merged.get_weights()
    small = compression.remove_channels(
        merged, stripes, QUICK, fraction=0.25, report=lambda report: None
    )
    assert evaluate(small, stripes).top1 > 0.8
    for array, same in zip(merged.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, same)  # the model itself stays as it is


def test_statistics_are_those_of_the_features_now(trained, stripes):
    model = keras.models.clone_model(trained)
    model.set_weights(trained.get_weights())
    first, *_ = (
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    )
    gamma, beta, *_ = first.get_weights()
    momentum = first.momentum
    convolution = model.get_layer(first.name.removesuffix("_bn"))
    convolution.set_weights([3 * convolution.get_weights()[0]])
    estimate_statistics(model, stripes)
    after = first.get_weights()
    np.testing.assert_array_equal(after[:2], [gamma, beta])
    batch = next(iter(stripes.train.epoch(64, seed=[0, 0, 0])))
    images = CropResize(32, (-1, 1))([batch.images, central_boxes(64, 1.0)])
    features = np.array(keras.Model(model.input, first.input)(images))
    np.testing.assert_allclose(after[2], features.mean((0, 1, 2)), atol=1e-4)
    np.testing.assert_allclose(after[3], features.var((0, 1, 2)), rtol=1e-3)
    assert first.momentum == momentum
    assert evaluate(model, stripes).top1 > 0.9


def test_without_normalization_nothing_changes(stripes):
    model = squeezenet()
    before = model.get_weights()
    estimate_statistics(model, stripes)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
