"""Biases and batch normalisation with fewer bits."""

import keras
import numpy as np
import pytest
from compressible import QUICK, mobilenet, quiet

pytest.importorskip("constriction")

from mobilenet_tf import codec, compression
from mobilenet_tf.codec import container, tensors
from mobilenet_tf.compression.rounding import significant, significant_bits


@pytest.fixture(scope="module")
def network():
    model, rng = mobilenet(blocks=((64, 2),)), np.random.default_rng(0)
    model.set_weights(
        [
            w + rng.uniform(0.1, 0.5, w.shape).astype("float32") if w.ndim == 1 else w
            for w in model.get_weights()
        ]
    )
    return model


def test_values_are_the_nearest_ones_of_some_bits():
    values = np.float32([0.0, -0.0, 1.0, -3.3, 2.0**-140, 1 + 2**-12 + 2**-20, 7e30])
    rounded = significant(values, 12)
    assert rounded[2] == 1 and rounded[5] == np.float32(1 + 2**-11)
    np.testing.assert_array_equal(np.signbit(rounded), np.signbit(values))
    np.testing.assert_allclose(rounded, values, rtol=2.0**-12, atol=2.0**-126)
    assert not (rounded.view("uint32") & 0xFFF).any()


@pytest.mark.parametrize("bits", [2, 9, 16])
def test_vectors_alone_are_rounded(network, bits):
    rounded = compression.round_vectors(network, bits)
    assert significant_bits(network) > 16 and significant_bits(rounded) == bits
    pairs = zip(network.get_weights(), rounded.get_weights(), strict=True)
    for before, after in pairs:
        assert (before.ndim == 1) == (before != after).any()


@pytest.mark.parametrize("bits", [1, 17, 12.0])
def test_illegal_bits(network, bits):
    with pytest.raises(ValueError, match="bits must be"):
        compression.round_vectors(network, bits)


def test_bits_that_are_left_out_take_no_space(network):
    rounded = compression.round_vectors(network, 12)
    content = codec.encode(rounded)
    _, streams = container.unpack(content)
    vectors = [array.ndim == 1 for array in network.get_weights()]
    assert [bool(stream.kind & tensors.ROUNDED) for stream in streams] == vectors
    values = sum(array.size for array in network.get_weights() if array.ndim == 1)
    assert len(content) < len(codec.encode(network)) - 1.3 * values
    for before, after in zip(
        rounded.get_weights(), codec.decode(content).get_weights(), strict=True
    ):
        np.testing.assert_array_equal(before.view("uint32"), after.view("uint32"))


def test_scales_of_few_bits():
    images = keras.Input((40,))
    model = keras.Model(images, keras.layers.Dense(40, use_bias=False)(images))
    rng = np.random.default_rng(0)
    multiples = rng.integers(-127, 128, (40, 40)).astype("float32")
    multiples[0] = 127
    sizes = []
    for bits in (24, 12):
        scales = significant(rng.uniform(0.1, 1, 40).astype("float32"), bits)
        model.set_weights([multiples * scales])
        content = codec.encode(model)
        np.testing.assert_array_equal(
            codec.decode(content).get_weights()[0], multiples * scales
        )
        sizes.append(len(content))
    assert sizes[0] - sizes[1] > 40


def test_an_update_keeps_the_number_of_bits(network, stripes):
    rounded = compression.round_vectors(network, 12)
    updated = compression.update(
        rounded, stripes, QUICK, part="normalization", report=quiet
    )
    assert significant_bits(updated) == 12
