import keras
import pytest
from keras import layers

import mobilenet_tf
from mobilenet_tf.analysis import footprint


@pytest.fixture(scope="module")
def tiny():
    """3x3 convolution, 4 to 8 channels, on an 8x8 map: 288 weights and 8 biases."""
    images = keras.Input((8, 8, 4))
    return keras.Model(images, layers.Conv2D(8, 3, padding="same")(images))


def test_traffic(tiny):
    assert footprint.update_bytes(tiny) == 4 * 296
    assert footprint.update_bytes(tiny, 8) == 296
    # Two workers exchange a half each, twice: the size of the gradients.
    assert footprint.all_reduce_bytes(tiny, workers=2) == 4 * 296
    assert footprint.all_reduce_bytes(tiny, workers=8) == round(7 / 4 * 4 * 296)


def test_energy_of_a_layer_by_hand(tiny):
    mult_adds, outputs = 8 * 8 * 288, 8 * 8 * 8
    picojoules = mult_adds * (3.7 + 0.9) + (296 + 2 * outputs) * 5.0
    assert footprint.energy_joules(tiny) == pytest.approx(picojoules * 1e-12)


def test_off_chip_weights_cost_more():
    small, large = mobilenet_tf.build(0.25), mobilenet_tf.build(1.0)
    assert footprint.fits_on_chip(small)
    assert not footprint.fits_on_chip(large)  # 17 MB
    assert footprint.fits_on_chip(large, 8)
    weights = 4_253_864 * footprint.DRAM_PICOJOULES * 1e-12
    assert footprint.energy_joules(large) > weights


def test_bad_arguments(tiny):
    with pytest.raises(ValueError, match="workers must be an integer >= 2, got 1"):
        footprint.all_reduce_bytes(tiny, 1)
    with pytest.raises(ValueError, match="bits must be one of 32, 8, got 16"):
        footprint.update_bytes(tiny, 16)
