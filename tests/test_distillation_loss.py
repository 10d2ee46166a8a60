"""The losses of distillation, by independent formulas."""

import numpy as np
import pytest
import tensorflow as tf

from mobilenet_tf.training.distillation_loss import DistillationLoss, FeatureDistance


def softmax(x):
    powers = np.exp(x.astype("float64"))
    return powers / powers.sum(-1, keepdims=True)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weight", [0.3, 1.0])
@pytest.mark.parametrize("temperature", [1.0, 5.0])
def test_loss_of_classes(temperature, weight, smoothing):
    rng = np.random.default_rng(0)
    s, t = rng.normal(size=(2, 6, 4)).astype("float32") * 3
    y = np.eye(4, dtype="float32")[rng.integers(4, size=6)]
    p, q = softmax(t / temperature), softmax(s / temperature)
    soft = (p * np.log(p / q)).sum(-1) * temperature**2
    hard = -((y * (1 - smoothing) + smoothing / 4) * np.log(softmax(s))).sum(-1)
    wanted = (weight * soft + (1 - weight) * hard).mean()
    loss = DistillationLoss(temperature, weight, label_smoothing=smoothing)
    found = loss(y, np.concatenate([s, t], -1))
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_loss_of_attributes():
    rng = np.random.default_rng(0)
    s, t = rng.normal(size=(2, 6, 4)).astype("float32") * 3
    y = rng.integers(2, size=(6, 4)).astype("float32")

    def outcomes(logits):
        yes = 1 / (1 + np.exp(-logits.astype("float64")))
        return np.stack([yes, 1 - yes])

    p, q = outcomes(t / 2), outcomes(s / 2)
    soft = (p * np.log(p / q)).sum(0).mean(-1) * 4
    hard = -(np.stack([y, 1 - y]) * np.log(outcomes(s))).sum(0).mean(-1)
    loss = DistillationLoss(2.0, 0.7, multi_label=True)
    found = loss(y, np.concatenate([s, t], -1))
    np.testing.assert_allclose(found, (0.7 * soft + 0.3 * hard).mean(), rtol=1e-5)


def test_loss_is_zero_where_the_student_equals_the_teacher():
    logits = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    for multi_label in (False, True):
        loss = DistillationLoss(3.0, 1.0, multi_label)
        found = loss(np.zeros((6, 4)), np.concatenate([logits, logits], -1))
        assert abs(float(found)) < 1e-5


def test_feature_distance_is_that_of_the_best_linear_map():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(16, 4)).astype("float32")
    wanted = features @ rng.normal(size=(4, 6)).astype("float32") + 3.0
    layer = FeatureDistance(2.0)
    logits = np.ones((16, 5), "float32")
    passed = layer([logits, features, wanted])
    np.testing.assert_array_equal(passed, logits)
    source = tf.Variable(features)
    with tf.GradientTape() as tape:
        layer([logits, source, wanted])
        distance = layer.losses[0]
    assert np.abs(tape.gradient(distance, source)).min() > 0
    weights, bias = layer.map.get_weights()
    scaled = (wanted - wanted.mean(0)) / wanted.std(0)
    error = ((features @ weights + bias - scaled) ** 2).mean()
    np.testing.assert_allclose(layer.losses[0], 2 * error, rtol=1e-4)
    best, *_ = np.linalg.lstsq(np.c_[features, np.ones(16)], scaled, rcond=None)
    layer.map.set_weights([best[:4], best[4]])
    layer([logits, features, wanted])
    assert float(layer.losses[0]) < 1e-4
