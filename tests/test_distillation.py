"""Distillation: the loss by an independent formula, and what a student learns."""

import dataclasses

import keras
import numpy as np
import pytest
from compressible import LEARNING, QUICK, squeezenet
from conftest import untraced

import mobilenet_tf
from mobilenet_tf.data.boxes import central_boxes
from mobilenet_tf.models import keras_file
from mobilenet_tf.training import classifier, loop
from mobilenet_tf.training.distillation import Student, distil
from mobilenet_tf.training.distillation_loss import DistillationLoss
from mobilenet_tf.training.evaluation import evaluate

SMALL = {"blocks": ((64, 1), (128, 2), (256, 2))}


def student(**changes):
    keras.utils.set_random_seed(0)
    arguments = {"base_resolution": 32, "classes": 2, "dropout": 0, **SMALL, **changes}
    return mobilenet_tf.build(0.25, **arguments)


@pytest.fixture(scope="module")
def teacher(stripes):
    keras.utils.set_random_seed(1)
    model = mobilenet_tf.build(0.5, base_resolution=36, classes=2, **SMALL)
    classifier.fit(model, stripes, LEARNING, report=None)
    return model


def test_student_learns_from_the_teacher_alone(teacher, stripes):
    """Labels that are all wrong do no harm where they are not looked at."""
    before = [array.copy() for array in teacher.get_weights()]
    model = student()
    wrong = dataclasses.replace(stripes, train=_Mislabelled(stripes.train))
    longer = dataclasses.replace(LEARNING, epochs=12)
    progress = distil(model, teacher, wrong, longer, weight=1.0)
    assert progress.history[-1]["top1"] > 0.8  # agreement with the teacher
    top1 = evaluate(model, stripes.evaluation, stripes.side).top1
    assert top1 > 0.8
    for one, other in zip(before, teacher.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


class _Mislabelled:
    def __init__(self, split):
        self.split, self.size = split, split.size

    def epoch(self, *arguments, **more):
        for batch in self.split.epoch(*arguments, **more):
            yield dataclasses.replace(batch, labels=np.zeros_like(batch.labels))


@pytest.mark.parametrize("weight", [0.9, 1.0])
def test_the_student_notes_its_training(teacher, stripes, weight, monkeypatch):
    monkeypatch.setattr(loop, "run", lambda *_, **__: None)
    before = keras_file.training_info(teacher)
    seen = dataclasses.replace(before, class_names=("a", "b"), train_digests=("1", "2"))
    keras_file.set_training_info(teacher, seen)
    model, data = student(), dataclasses.replace(stripes, train_digests=("2", "3"))
    distil(model, teacher, data, LEARNING, weight=weight)
    keras_file.set_training_info(teacher, before)
    info = keras_file.training_info(model)
    assert info.train_digests == ("1", "2", "3")
    assert info.class_names == (("a", "b") if weight == 1 else stripes.class_names)


def test_attributes_are_distilled(stripes):
    keras.utils.set_random_seed(1)
    sigmoid = {"classifier_activation": "sigmoid"}
    teacher = mobilenet_tf.build(0.5, base_resolution=36, classes=5, **SMALL, **sigmoid)
    model = student(classes=5, **SMALL, **sigmoid)
    progress = distil(model, teacher, stripes, LEARNING, weight=1.0, multi_label=True)
    losses = [epoch["loss"] for epoch in progress.history]
    assert losses[-1] < losses[0]


def test_a_killed_distillation_goes_on(teacher, stripes, tmp_path, eagerly):
    class StopError(Exception):
        pass

    def interrupt(progress):
        if progress.epoch == 2:
            raise StopError

    path = tmp_path / "snapshot.npz"
    features = {"feature_weight": 1.0}
    recipe = dataclasses.replace(LEARNING, epochs=3, batch_size=48)
    whole, resumed = student(), student()
    distil(whole, teacher, stripes, recipe, **features)
    keras.utils.set_random_seed(7)  # all follows from the argument `seed`
    with pytest.raises(StopError):
        distil(
            student(),
            teacher,
            stripes,
            recipe,
            snapshot_path=path,
            on_epoch=interrupt,
            **features,
        )
    distil(resumed, teacher, stripes, recipe, snapshot_path=path, **features)
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"temperature": 0}, "temperature must be a number > 0, got 0"),
        ({"weight": 0}, r"weight must be a number in \(0, 1\], got 0"),
        ({"weight": 1.5}, "weight must be"),
        ({"feature_weight": -1}, "feature_weight must be a number >= 0, got -1"),
        ({"precision": "float16"}, "precision must be one of"),
    ],
)
def test_bad_arguments(teacher, stripes, given, message):
    with pytest.raises(ValueError, match=message):
        distil(student(), teacher, stripes, LEARNING, **given)


def test_teacher_and_student_that_do_not_fit(teacher, stripes):
    for same in (teacher, keras.Model(teacher.input, teacher.output)):
        with pytest.raises(ValueError, match="teacher must be another model than stud"):
            distil(same, teacher, stripes, LEARNING)
    for given in ((teacher, stripes, "modem"), (teacher, None, LEARNING)):
        with pytest.raises(ValueError, match=r"(recipe|data) must be (one of|a Data)"):
            distil(student(), *given)
    with pytest.raises(
        ValueError, match=r"teacher must be a Model, got 'teacher.keras'"
    ):
        distil(student(), "teacher.keras", stripes, LEARNING)
    features = student(include_top=False)
    with pytest.raises(ValueError, match=r"student must take .* \(None, 4, 4, 64\)"):
        distil(features, teacher, stripes, LEARNING)
    for shape in ((None, None, 3), (32, 40, 3)):
        images = keras.Input(shape)
        x = keras.layers.GlobalAveragePooling2D()(images)
        other = keras.Model(images, keras.layers.Dense(2)(x))
        with pytest.raises(ValueError, match=r"teacher must take .* of a known side"):
            distil(student(), other, stripes, LEARNING)
    sigmoid = student(classifier_activation="sigmoid")
    with pytest.raises(ValueError, match="student must not end in sigmoid where multi"):
        distil(sigmoid, teacher, stripes, LEARNING)
    with pytest.raises(ValueError, match="teacher must not end in softmax where multi"):
        distil(sigmoid, teacher, stripes, LEARNING, multi_label=True)
    with pytest.raises(ValueError, match="the teacher has 2 classes, the student 5"):
        distil(student(classes=5), teacher, stripes, LEARNING)
    other = student(classes=5)
    with pytest.raises(ValueError, match="student has 5 classes, the data set 2"):
        distil(student(classes=5), other, stripes, LEARNING, weight=0.5)


def test_features_are_matched(teacher, stripes):
    model = student()
    settings = {"weight": 1.0, "feature_weight": 1.0}
    progress = distil(model, teacher, stripes, LEARNING, **settings)
    losses = [epoch["loss"] for epoch in progress.history]
    assert losses[-1] < 0.8 * losses[0]
    assert evaluate(model, stripes.evaluation, stripes.side).top1 > 0.8
    once, settings = dataclasses.replace(QUICK, epochs=1), {"weight": 1.0}
    with untraced():
        alone = distil(student(), teacher, stripes, once, **settings)
        first = distil(
            student(), teacher, stripes, once, **settings, feature_weight=9.0
        )
    # At first the distance from features of variance 1 is about 1 or more.
    assert first.history[0]["loss"] > alone.history[0]["loss"] + 5


def test_sequential_networks(stripes, eagerly):
    keras.utils.set_random_seed(0)
    models = [
        keras.Sequential(
            [
                keras.Input((32, 32, 3)),
                keras.layers.Conv2D(8, 3, strides=2, activation="relu"),
                keras.layers.GlobalAveragePooling2D(),
                keras.layers.Dense(2),
            ]
        )
        for _ in range(2)
    ]
    before = models[0].get_weights()
    for ranges, message in (
        ({}, "^input_range must be given"),
        ({"input_range": (0, 1)}, "^teacher_input_range must be given"),
        ({"input_range": (1, 0)}, "^input_range must be .* rising"),
    ):
        with pytest.raises(ValueError, match=message):
            distil(*models, stripes, QUICK, **ranges)
    ranges = {"input_range": (0, 1), "teacher_input_range": (0, 255)}
    for feature_weight in (0.0, 1.0):
        distil(*models, stripes, QUICK, feature_weight=feature_weight, **ranges)
    after = models[0].get_weights()
    assert all((one != other).any() for one, other in zip(before, after, strict=True))


@pytest.mark.parametrize("build", [student, lambda: squeezenet("complex")])
def test_every_weight_goes_back_to_its_layer(teacher, stripes, build):
    loss = DistillationLoss(1.0, 1.0)
    task = Student(
        build(), stripes.side, LEARNING, teacher=teacher, loss=loss, feature_weight=1.0
    )
    trained = task.compiled(None, 1)
    rng = np.random.default_rng(0)
    layers = [layer for layer in task.model.layers if layer.weights]
    body = trained.get_layer("student")
    for layer in layers:
        inner = body.get_layer(layer.name)
        inner.set_weights([rng.normal(size=one.shape) for one in inner.weights])
    task.finish(trained)
    for layer in layers:
        inner = body.get_layer(layer.name).get_weights()
        for one, other in zip(layer.get_weights(), inner, strict=True):
            np.testing.assert_array_equal(one, other)


def test_each_network_gets_crops_in_its_own_range(teacher, stripes):
    """The student's pixels are from 0 to 255, the teacher's from -1 to 1."""
    pixels = keras.Input((36, 36, 3))
    inside = keras.layers.Rescaling(1 / 127.5, -1)(pixels)
    copy = keras.Sequential([keras.models.clone_model(teacher)])
    model = keras.Model(pixels, copy(inside))
    copy.set_weights(teacher.get_weights())
    loss = DistillationLoss(1.0, 1.0)
    task = Student(
        *(model, stripes.side, LEARNING),
        input_range=(0, 255),
        teacher=teacher,
        teacher_input_range=(-1, 1),
        loss=loss,
    )
    batch = next(stripes.evaluation.epoch(4))
    logits = task.compiled(None, 1)([batch.images, central_boxes(4, 0.875)])
    np.testing.assert_allclose(logits[:, :2], logits[:, 2:], atol=1e-4)
