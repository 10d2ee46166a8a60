"""Batch normalisation of published weights, before they are trained."""

import keras
import numpy as np
import pytest
from compressible import squeezenet

from mobilenet_tf.data.boxes import central_boxes
from mobilenet_tf.training.cropping import CropResize
from mobilenet_tf.training.normalization import adopt_statistics


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
    expected = trained.predict_on_batch(crops)

    def difference(training):
        weights = merged.get_weights()
        outputs = keras.ops.convert_to_numpy(merged(crops, training=training))
        merged.set_weights(weights)  # training moves the statistics
        return np.abs(outputs - expected).max()

    assert difference(training=False) < 1e-5
    assert difference(training=True) > 0.1
    adopt_statistics(merged, stripes)
    assert difference(training=False) < 1e-4
    assert difference(training=True) < 1e-4


def test_a_network_without_batch_normalisation_stays(stripes):
    model = squeezenet()
    before = model.get_weights()
    adopt_statistics(model, stripes)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
