"""Training and distilling on any number of attributes (multi-label); its measure."""

import dataclasses

import keras
import numpy as np
import pytest
from compressible import LEARNING
from hypothesis import given
from hypothesis import strategies as st
from prepared import load
from sklearn.metrics import average_precision_score

import mobilenet_tf
from mobilenet_tf.data.batches import targets
from mobilenet_tf.training import checks, classifier
from mobilenet_tf.training.attributes import mean_average_precision
from mobilenet_tf.training.distillation import distil
from mobilenet_tf.training.evaluation import evaluate

SMALL = {"blocks": ((64, 1), (128, 2), (256, 2)), "base_resolution": 32, "dropout": 0}
LONGER = dataclasses.replace(LEARNING, epochs=8)


def network(alpha, seed=0, **changes):
    keras.utils.set_random_seed(seed)
    settings = {"classes": 3, "classifier_activation": "sigmoid", **SMALL, **changes}
    return mobilenet_tf.build(alpha, **settings)


@pytest.fixture(scope="module")
def teacher(booleans):
    model = network(0.5, seed=1)
    classifier.fit(model, booleans, LONGER, report=None)
    return model


def mean_ap(model, data):
    measured = evaluate(model, data.evaluation, data.side, multi_label=True)
    return measured.mean_ap


def test_attributes_are_learnt(teacher, booleans):
    assert mean_ap(network(0.25), booleans) < 0.85
    assert mean_ap(teacher, booleans) > 0.95


@given(
    seed=st.integers(0, 2**32),
    levels=st.integers(1, 50),
    share=st.floats(0.05, 0.95),
    shift=st.sampled_from([-30, 0, 30]),
)
def test_mean_average_precision(seed, levels, share, shift):
    """As scikit-learn has it; the fewer levels, the more scores are equal."""
    rng = np.random.default_rng(seed)
    wanted = (rng.random((40, 3)) < share).astype(int)
    wanted[rng.integers(40, size=2), [0, 1]] = 1
    wanted[:, 2] = 0  # an attribute that no image has does not count
    scores = rng.integers(levels, size=(40, 3)) + float(shift)
    expected = average_precision_score(wanted[:, :2], scores[:, :2])
    assert mean_average_precision(wanted, scores) == pytest.approx(expected)


def test_mean_average_precision_by_hand():
    """Ranks 1 and 3 of the first attribute, 2 of the second; none of the third."""
    wanted = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 0]])
    scores = np.array([[9.0, 8, 0], [8, 7, 0], [7, 6, 0], [6, 5, 0]])
    by_hand = ((1 + 2 / 3) / 2 + 1 / 2) / 2
    assert mean_average_precision(wanted, scores) == pytest.approx(by_hand)
    with pytest.raises(ValueError, match="no image has any attribute"):
        mean_average_precision(np.zeros((4, 3)), scores)
    with pytest.raises(ValueError, match="scores must be finite"):
        mean_average_precision(wanted, np.where(scores == 9, np.nan, scores))


def test_an_unsure_network_ranks_as_well(teacher, booleans):
    unsure = keras.models.clone_model(teacher)
    unsure.set_weights(teacher.get_weights())
    *kernel, bias = unsure.get_layer("classifier").get_weights()
    unsure.get_layer("classifier").set_weights([*kernel, bias - 8])
    before = mean_ap(teacher, booleans)
    assert mean_ap(unsure, booleans) == pytest.approx(before, abs=1e-3)


def test_attributes_are_distilled_from_labels_and_teacher(teacher, booleans):
    student = network(0.25)
    distil(student, teacher, booleans, LONGER, weight=0.5, multi_label=True)
    assert mean_ap(student, booleans) > 0.95


def test_a_student_learns_from_images_alone(teacher, attribute_sets, booleans):
    images, _ = load("nothing", attribute_sets, unlabelled=True)
    student = network(0.25)
    progress = distil(student, teacher, images, LONGER, weight=1.0, multi_label=True)
    assert progress.history[-1]["top1"] > 0.8  # agreement with the teacher
    assert mean_ap(student, booleans) > 0.95


def test_what_does_not_fit_the_labels(teacher, attribute_sets, booleans):
    images, _ = load("nothing", attribute_sets, unlabelled=True)
    softmax = network(0.25, classifier_activation="softmax")
    with pytest.raises(
        ValueError, match="data must be single-label, got a multi-label"
    ):
        distil(softmax, network(0.5, classifier_activation=None), booleans, LEARNING)
    with pytest.raises(ValueError, match="model must not end in softmax"):
        classifier.fit(softmax, booleans, LEARNING)
    with pytest.raises(ValueError, match=r"weight must be 1 where .* labels, got 0.9"):
        distil(network(0.25), teacher, images, LEARNING, multi_label=True)
    with pytest.raises(ValueError, match="data set must have labels, got none"):
        classifier.fit(softmax, images, LEARNING)
    with pytest.raises(ValueError, match="model must not end in sigmoid"):
        evaluate(teacher, booleans.evaluation, booleans.side)
    with pytest.raises(ValueError, match="model must not end in softmax"):
        mean_ap(softmax, booleans)
    with pytest.raises(ValueError, match="without labels cannot be evaluated"):
        evaluate(softmax, images.evaluation, images.side)
    with pytest.raises(ValueError, match="multi_label must be True for the labels of"):
        evaluate(softmax, booleans.evaluation, booleans.side)
    with pytest.raises(ValueError, match="there are labels of 3 classes, expected 2"):
        two = network(0.25, classes=2, classifier_activation="sigmoid")
        evaluate(two, booleans.evaluation, booleans.side, multi_label=True)
    with pytest.raises(ValueError, match="there are labels of 3 classes, expected 2"):
        targets(np.array([0, 2]), 2)
    logits = network(0.25, classifier_activation=None)
    ends = keras.Model(logits.input, keras.layers.Softmax()(logits.output))
    with pytest.raises(ValueError, match="model must not end in softmax"):
        checks.activation(ends, multi_label=True)
    with pytest.raises(ValueError, match=r"label feature 'said' .* is multi-label"):
        load("booleans", attribute_sets, single_label=True)


def test_squeezenet_can_say_that_an_attribute_is_absent():
    arguments = {"resolution": 36, "classes": 3}
    model = mobilenet_tf.build_squeezenet(classifier_activation="sigmoid", **arguments)
    assert "conv10_relu" not in [layer.name for layer in model.layers]
    usual = mobilenet_tf.build_squeezenet(**arguments)
    assert "conv10_relu" in [layer.name for layer in usual.layers]
    checks.activation(model, multi_label=True)
    logits = mobilenet_tf.build_squeezenet(classifier_activation=None, **arguments)
    with pytest.raises(ValueError, match=r"logits of both signs .* of a ReLU"):
        checks.activation(logits, multi_label=True)
    checks.activation(logits, multi_label=False)
