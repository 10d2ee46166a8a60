"""Estimates of the memory of a network on a microcontroller."""

import keras
import pytest
from keras import layers

import mobilenet_tf
from mobilenet_tf.analysis import activations


def test_peak_of_mobilenet_by_hand():
    """At the first pointwise convolution: 8 channels in, 16 out, 48 x 48 positions."""
    model = mobilenet_tf.build(0.25, base_resolution=96, classes=2)
    estimate = activations.estimate_arena(model)
    assert estimate.activation_bytes == 48 * 48 * (8 + 16)
    # Measured by TensorFlow Lite Micro: 29,856.
    assert estimate.persistent_bytes == pytest.approx(29_856, rel=0.03)
    whole = estimate.activation_bytes + estimate.persistent_bytes
    assert estimate.arena_bytes == whole


def test_branches_are_kept_until_they_are_joined():
    inputs = keras.Input((8, 8, 4))
    squeezed = layers.Conv2D(2, 1, activation="relu")(inputs)
    first = layers.Conv2D(4, 1)(squeezed)
    second = layers.Conv2D(4, 3, padding="same")(squeezed)
    model = keras.Model(inputs, layers.Concatenate()([first, second]))
    joined = 64 * (4 + 4 + 8)  # both branches and what they are joined to
    assert activations.estimate_arena(model).activation_bytes == joined


def test_layers_without_memory():
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 1)(layers.Rescaling(1 / 255)(inputs))
    x = layers.ReLU()(layers.BatchNormalization()(x))
    model = keras.Model(inputs, layers.Flatten()(x))
    assert activations.estimate_arena(model).activation_bytes == 64 * (3 + 4)
    # Sizes are multiples of 16 bytes: 5 x 5 x 3 = 75 takes 80, 25 takes 32.
    odd = keras.Sequential([keras.Input((5, 5, 3)), layers.Conv2D(1, 1)])
    assert activations.estimate_arena(odd).activation_bytes == 80 + 32


def test_bad_models():
    any_size = keras.Input((None, None, 3))
    with pytest.raises(ValueError, match="fixed input size"):
        activations.estimate_arena(keras.Model(any_size, layers.Conv2D(1, 1)(any_size)))
    inner = keras.Sequential([keras.Input((5, 5, 3)), layers.Conv2D(1, 1)], name="in")
    nested = keras.Sequential([keras.Input((5, 5, 3)), inner])
    with pytest.raises(ValueError, match="no models inside it, got 'in'"):
        activations.estimate_arena(nested)
