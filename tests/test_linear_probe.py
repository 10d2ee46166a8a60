"""The classifier that is fitted to the features before the training."""

import keras
import numpy as np
import pytest
from trainable import QUICK, small_model

import mobilenet_tf
from mobilenet_tf.training import evaluate
from mobilenet_tf.training.linear_probe import fit_classifier, logistic_regression


def features():
    return mobilenet_tf.build(
        0.25, base_resolution=32, include_top=False, pooling="avg"
    )


def test_is_that_of_scikit_learn():
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 300)
    features = rng.normal(size=(300, 8)) + np.eye(3, 8)[labels]
    features = ((features - features.mean(0)) / features.std(0)).astype("float32")
    penalty = 1e-2
    kernel, bias = logistic_regression(
        features, np.eye(3, dtype="float32")[labels], penalty=penalty, steps=2000
    )
    theirs = linear_model.LogisticRegression(
        C=1 / (penalty * len(labels)), tol=1e-8, max_iter=1000
    ).fit(features, labels)
    scores = theirs.decision_function(features)
    ours = features @ kernel + bias
    np.testing.assert_allclose(
        ours - ours.mean(1, keepdims=True),
        scores - scores.mean(1, keepdims=True),
        atol=1e-2,
    )


def test_attributes_are_independent():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(400, 4)).astype("float32")
    targets = (features[:, :2] > 0.5).astype("float32")
    kernel, bias = logistic_regression(
        features, targets, penalty=1e-3, multi_label=True
    )
    assert ((features @ kernel + bias > 0) == targets).mean() > 0.97


def test_only_the_classifier_changes(stripes, eagerly):
    model = small_model()
    before = evaluate(model, stripes)
    weights = model.get_weights()
    assert fit_classifier(model, stripes, QUICK, (-1.0, 1.0))
    after = evaluate(model, stripes)
    assert after.loss < before.loss and after.top1 > 0.7
    for old, new in zip(weights[:-2], model.get_weights()[:-2], strict=True):
        np.testing.assert_array_equal(old, new)


def test_models_inside_a_model(stripes, eagerly):
    body = mobilenet_tf.build(
        0.25, base_resolution=32, include_top=False, pooling="avg"
    )
    dense = keras.layers.Dense(2, use_bias=False)
    model = keras.Sequential([keras.Input((32, 32, 3)), body, dense])
    before = dense.get_weights()[0]
    assert fit_classifier(model, stripes, QUICK, (-1.0, 1.0))
    assert not np.array_equal(before, dense.get_weights()[0])


def test_convolutions_are_left_alone(stripes):
    model = mobilenet_tf.build_squeezenet(resolution=36, classes=2)
    assert not fit_classifier(model, stripes, QUICK, (-1.0, 1.0))
