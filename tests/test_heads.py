"""Networks with a head of the user's own, and models inside them, are trained."""

import dataclasses

import heads
import keras
import numpy as np
import pytest
from trainable import QUICK

from mobilenet_tf.data.boxes import central_boxes
from mobilenet_tf.training import evaluate, fit
from mobilenet_tf.training.clone import training_clone

RECIPE = dataclasses.replace(QUICK, epochs=1)
BUILDS = (*heads.HEADS.values(), heads.inputs_in_a_list)


@pytest.mark.parametrize(
    ("build", "black", "white"),
    [
        (heads.sequential, 0, 255),
        (heads.functional, -1, 1),
        (heads.inputs_in_a_list, -1, 1),
    ],
)
def test_pixels_come_as_the_network_takes_them(build, black, white):
    model = build()
    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), "uint8")
    clone = training_clone(model, 32)
    logits = clone([images.transpose(0, 1, 3, 2), central_boxes(4, 1.0)])
    scores = model(images / np.float32(255) * (white - black) + black)
    if build is heads.sequential:
        logits = keras.ops.softmax(logits)
    np.testing.assert_allclose(logits, scores, atol=1e-4)


@pytest.mark.parametrize("build", BUILDS)
def test_any_head_is_trained(build, stripes, eagerly):
    model = build()
    before = [weight.numpy() for weight in model.trainable_weights]
    fit(model, stripes, RECIPE)
    after = [weight.numpy() for weight in model.trainable_weights]
    assert any(np.abs(a - b).max() > 1e-3 for a, b in zip(before, after, strict=True))
    found = evaluate(model, stripes)
    assert found.images == stripes.evaluation.size
    assert found.top5 is None and found.correct.mean() == found.top1


def test_an_unknown_input_range_is_asked_for(stripes):
    images = keras.Input((32, 32, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(images))
    model = keras.Model(images, keras.layers.Dense(2)(x))
    with pytest.raises(ValueError, match="input_range must be given"):
        fit(model, stripes, RECIPE)
    with pytest.raises(ValueError, match="input_range must be given"):
        evaluate(model, stripes)
    with pytest.raises(ValueError, match="input_range must be"):
        evaluate(model, stripes, input_range=(1, 0))
    assert evaluate(model, stripes, input_range=(0, 1)).images == 40
