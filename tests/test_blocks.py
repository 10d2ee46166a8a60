"""Blocks that take the place of MobileNet's depthwise separable convolution."""

import keras
import numpy as np
import pytest

import mobilenet_tf
from mobilenet_tf.models import blocks

any_backend = pytest.mark.any_backend


@any_backend
@pytest.mark.parametrize(
    ("block", "layer"),
    [
        (blocks.full_convolution, "block1_conv"),
        (blocks.fused_separable, "block1_separable"),
        (blocks.half_pointwise, "block1"),
        (blocks.grouped_separable, "block1_pointwise"),
        (blocks.shuffled_separable, "block1_pointwise"),
    ],
)
def test_other_blocks(block, layer):
    model = mobilenet_tf.build(0.25, base_resolution=64, classes=2, block=block)
    assert model.get_layer(layer).output.shape == (None, 32, 32, 16)
    assert model.output_shape == (None, 2)


def test_groups_must_divide():
    with pytest.raises(
        ValueError, match="groups must divide the 10 input channels and the 19 filters"
    ):
        mobilenet_tf.build(0.3, block=blocks.grouped_separable)


@any_backend
def test_channel_shuffle_deals_every_group_out():
    channels = keras.Input((1, 1, 6))
    shuffle = keras.Model(channels, blocks.channel_shuffle(channels, 2))
    dealt = shuffle(np.arange(6.0).reshape(1, 1, 1, 6))
    assert keras.ops.convert_to_numpy(dealt).ravel().tolist() == [0, 3, 1, 4, 2, 5]


@any_backend
def test_without_a_shuffle_groups_stay_apart():
    """An input channel reaches its own group alone; with a shuffle, all of them."""
    for block, reached in (
        (blocks.grouped_separable, 4),
        (blocks.shuffled_separable, 16),
    ):
        inputs = keras.Input((8, 8, 16))
        x = block(inputs, 16, name="a", activation="linear")
        outputs = block(x, 16, name="b", activation="linear")
        model = keras.Model(inputs, outputs)
        image = np.zeros((1, 8, 8, 16), "float32")
        image[..., 0] = 1
        changed = np.abs(keras.ops.convert_to_numpy(model(image))).max((0, 1, 2)) > 0
        assert changed.sum() == reached
