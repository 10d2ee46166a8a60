"""Label features: one class, any number of attributes (multi-label), or none."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from compressible import LEARNING
from prepared import load

import mobilenet_tf
from experiments.harness import Config
from mobilenet_tf.data.batches import targets
from mobilenet_tf.data.tfds_features import label_feature
from mobilenet_tf.training import checks, classifier
from mobilenet_tf.training.attributes import mean_average_precision
from mobilenet_tf.training.distillation import distil
from mobilenet_tf.training.evaluation import evaluate

NAMES = ["dark", "bright", "noisy"]
SMALL = {"blocks": ((64, 1), (128, 2), (256, 2)), "base_resolution": 32, "dropout": 0}
LONGER = dataclasses.replace(LEARNING, epochs=8)


def attributes(index):
    """Of the image of an index: dark or bright, and noisy or not."""
    return np.array([index % 2 == 0, index % 2 == 1, index // 2 % 2 == 1])


def write(data_dir, name, features, say, shapes):
    """A TFDS data set whose examples have what `say(index)` gives beside the image."""

    def example(index):
        rng = np.random.default_rng(index)
        _, bright, noisy = attributes(index)
        noise = rng.normal(0, 60 if noisy else 4, (36, 36, 3))
        image = np.clip(60 + 120 * bright + noise, 0, 255).astype("uint8")
        return {"image": image, **say(index)}

    shapes = {"image": tf.TensorSpec((36, 36, 3), tf.uint8), **shapes}
    splits = {
        split: tf.data.Dataset.from_generator(
            lambda count=count: map(example, range(count)), output_signature=shapes
        )
        for split, count in (("train", 96), ("validation", 32))
    }
    features = {"image": tfds.features.Image(shape=(36, 36, 3)), **features}
    tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        version="1.0.0",
        data_dir=str(data_dir),
        split_datasets=splits,
        features=tfds.features.FeaturesDict(features),
        disable_shuffling=True,
    )


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The same images with booleans, with a sequence of labels, and with nothing."""
    folder = tmp_path_factory.mktemp("tfds")
    write(
        folder,
        "booleans",
        {"said": dict.fromkeys(NAMES, np.bool_)},
        lambda index: {"said": dict(zip(NAMES, attributes(index), strict=True))},
        {"said": dict.fromkeys(NAMES, tf.TensorSpec((), tf.bool))},
    )
    write(
        folder,
        "sequences",
        {"said": tfds.features.Sequence(tfds.features.ClassLabel(names=NAMES))},
        lambda index: {"said": np.flatnonzero(attributes(index)).repeat(2)},
        {"said": tf.TensorSpec((None,), tf.int64)},
    )
    write(folder, "nothing", {}, lambda index: {}, {})
    return str(folder)


@pytest.fixture(scope="module")
def booleans(prepared):
    return load("booleans", prepared)[0]


@pytest.mark.parametrize("name", ["booleans", "sequences"])
@pytest.mark.parametrize("mode", ["arrays", "stream"])
def test_attributes(prepared, name, mode):
    data, line = load(name, prepared, mode=mode)
    assert data.multi_label and "3 attributes" in line
    assert sorted(data.class_names) == sorted(NAMES)
    order = [NAMES.index(one) for one in data.class_names]
    found = np.concatenate([batch.labels for batch in data.train.epoch(32)])
    wanted = np.stack([attributes(index)[order] for index in range(96)])
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("mode", ["arrays", "stream"])
def test_images_without_labels(prepared, mode):
    data, _ = load("nothing", prepared, mode=mode, unlabelled=True)
    assert data.classes == 0 and not data.multi_label
    assert (next(data.train.epoch(8)).labels == -1).all()


def test_labels_can_be_left_aside(prepared, tmp_path):
    path = tmp_path / "arrays.npz"
    data, _ = load("booleans", prepared, unlabelled=True, arrays=path)
    again, _ = load("booleans", prepared, unlabelled=True, arrays=path)
    assert data.metadata == again.metadata and data.classes == 0
    with pytest.raises(ValueError, match="holds unlabelled True, but False was req"):
        load("booleans", prepared, arrays=path)


def test_attributes_from_a_file(prepared, booleans, tmp_path):
    path = tmp_path / "arrays.npz"
    load("booleans", prepared, arrays=path)
    again, _ = load("booleans", prepared, arrays=path)
    assert again.multi_label
    with pytest.raises(ValueError, match="holds a multi-label data set"):
        load("booleans", prepared, arrays=path, single_label=True)
    np.testing.assert_array_equal(
        again.train.contents.labels, booleans.train.contents.labels
    )


def test_experiments_need_one_class_each(prepared):
    config = Config(dataset="booleans", data_dir=prepared)
    with pytest.raises(ValueError, match=r"label feature 'said' .* is multi-label"):
        config.load_data()


def test_bad_arguments(prepared):
    with pytest.raises(ValueError, match=r"'nothing' has no label feature \(ClassL"):
        load("nothing", prepared)
    with pytest.raises(ValueError, match="label_key must be None where unlabelled"):
        load("booleans", prepared, unlabelled=True, label_key="said")


def test_features_of_well_known_sets_are_found():
    faces = tfds.builder("celeb_a").info.features
    assert label_feature("celeb_a", faces).key == "attributes"
    assert len(label_feature("celeb_a", faces).names) == 40
    scenes = tfds.builder("voc/2007").info.features
    with pytest.raises(ValueError, match=r"several label features \(labels, labels_no"):
        label_feature("voc/2007", scenes)
    assert label_feature("voc/2007", scenes, "labels").multi_label


def network(alpha, seed=0, **changes):
    keras.utils.set_random_seed(seed)
    settings = {"classes": 3, "classifier_activation": "sigmoid", **SMALL, **changes}
    return mobilenet_tf.build(alpha, **settings)


@pytest.fixture(scope="module")
def teacher(booleans):
    model = network(0.5, seed=1)
    classifier.fit(model, booleans, LONGER)
    return model


def mean_ap(model, data):
    measured = evaluate(model, data.evaluation, data.side, multi_label=True)
    return measured.mean_ap


def test_attributes_are_learnt(teacher, booleans):
    assert mean_ap(network(0.25), booleans) < 0.85
    assert mean_ap(teacher, booleans) > 0.95


def test_mean_average_precision():
    """By hand: ranks 1 and 3 of the first attribute, 2 of the second."""
    wanted = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 0]])
    scores = np.array([[9.0, 8, 0], [8, 7, 0], [7, 6, 0], [6, 5, 0]])
    by_hand = ((1 + 2 / 3) / 2 + 1 / 2) / 2  # the third attribute never occurs
    for shift in (0, -30, 30):  # only the order counts
        found = mean_average_precision(wanted, scores + shift)
        assert found == pytest.approx(by_hand)
    with pytest.raises(ValueError, match="no image has any attribute"):
        mean_average_precision(np.zeros((4, 3)), scores)
    with pytest.raises(ValueError, match="scores must be finite"):
        mean_average_precision(wanted, np.where(scores == 9, np.nan, scores))


def test_equal_scores_have_no_order():
    """A network that always says the same is as precise as chance, however sorted."""
    wanted = np.array([[1], [1], [0], [0], [0]])
    for order in (wanted, wanted[::-1]):
        assert mean_average_precision(order, np.zeros((5, 1))) == 2 / 5
    scores = np.array([[1], [2], [2], [0], [0]])  # both at 2, then all three at 1
    assert mean_average_precision(wanted, scores) == pytest.approx((1 / 2 + 2 / 3) / 2)


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


def test_a_student_learns_from_images_alone(teacher, prepared, booleans):
    images, _ = load("nothing", prepared, unlabelled=True)
    student = network(0.25)
    progress = distil(student, teacher, images, LONGER, weight=1.0, multi_label=True)
    assert progress.history[-1]["top1"] > 0.8  # agreement with the teacher
    assert mean_ap(student, booleans) > 0.95


def test_what_does_not_fit_the_labels(teacher, prepared, booleans):
    images, _ = load("nothing", prepared, unlabelled=True)
    softmax = network(0.25, classifier_activation="softmax")
    with pytest.raises(ValueError, match="must have one class each, not any number"):
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
        load("booleans", prepared, single_label=True)


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


def test_nested_features_are_no_labels():
    classes = tfds.features.ClassLabel(names=NAMES)
    inner = {"camera": {"iso": np.int64}, "flags": {"on": np.bool_}}
    nested = tfds.features.FeaturesDict(
        {
            "label": classes,
            "meta": inner,
            "said": tfds.features.Sequence({"what": tfds.features.Sequence(classes)}),
        }
    )
    assert label_feature("nested", nested).key == "label"
