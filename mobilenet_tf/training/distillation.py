"""Training a small network to emulate a larger one.

The student learns the teacher's softened outputs, the labels, or a mixture, and the
features that the teacher's classifier sees. Without labels any images will do, as in
arXiv 1704.04861, sections 4.5 and 4.7.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable

import keras

from mobilenet_tf import arguments
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.models import graph, keras_file, merged
from mobilenet_tf.training import (
    checks,
    classifier,
    loop,
    recipes,
    run_folder,
    snapshot,
)
from mobilenet_tf.training.clone import training_clone
from mobilenet_tf.training.distillation_loss import DistillationLoss, FeatureDistance
from mobilenet_tf.training.normalization import recalibrate_batch_norm
from mobilenet_tf.training.precision import choose
from mobilenet_tf.training.recipe import Recipe


def distil(
    student: keras.Model,
    teacher: keras.Model,
    data: DataSet,
    recipe: Recipe | str,
    *,
    temperature: float = 4.0,
    weight: float = 0.9,
    multi_label: bool = False,
    feature_weight: float = 0.0,
    seed: int = 0,
    precision: str = "float32",
    input_range: tuple[float, float] | None = None,
    teacher_input_range: tuple[float, float] | None = None,
    snapshot_path: str | os.PathLike | None = None,
    on_epoch: Callable[[loop.Progress], None] = lambda progress: None,
) -> loop.Progress:
    """Train the student in place, and note class names and training photographs on it.

    The teacher sees the same crops, scaled to its own input, and does not change.

    Args:
        student: A classifier built after `keras.utils.set_random_seed(seed)`.
        teacher: A trained classifier of the same classes, of any input side.
        data: Images, and labels where `weight` is below 1; without them they may be
            loaded with `unlabelled=True`.
        recipe: How to train: a name in `mobilenet_tf.training.RECIPES`, or a recipe.
        temperature: Divides both networks' logits before they are compared, > 0.
        weight: Share of the soft targets in the loss, in (0, 1]; the labels have the
            rest. At 1 the labels are not used, and may be of other classes.
        multi_label: Whether each output is an attribute of its own (sigmoid) instead
            of one of several classes (softmax).
        feature_weight: Weight in the loss of how far the student's features are from
            the teacher's, >= 0; see `FeatureDistance`. With few classes the features
            hold more information than the outputs.
        seed: Seed of batch order, augmentation and dropout.
        precision: "auto" or one of `mobilenet_tf.training.precision.PRECISIONS`.
        input_range: The student's inputs for black and for white; needed only where its
            layers do not determine them, see `mobilenet_tf.models.graph.input_range`.
        teacher_input_range: The same for the teacher.
        snapshot_path: `.npz` file that holds the state after each epoch.
        on_epoch: Called after each epoch, when its snapshot is on disk.

    Returns:
        Epochs, seconds and history; its accuracy is agreement with the teacher where
        the labels are not used, and with attributes the share of them.

    Raises:
        ValueError: An argument is out of its range, an input range is not known, or
            the networks do not fit each other or the data set.

    Source: Hinton et al., arXiv 1503.02531, section 2.
    """
    arguments.number("temperature", temperature, lambda value: value > 0, "> 0")
    arguments.number("weight", weight, lambda value: 0 < value <= 1, "in (0, 1]")
    arguments.number("feature_weight", feature_weight, lambda value: value >= 0, ">= 0")
    recipe = recipes.named(recipe)
    precision = choose(precision)
    checks.kinds(data, recipe, student=student, teacher=teacher)
    _check_fit(student, teacher, multi_label)
    if weight < 1 and data.unlabelled:
        raise ValueError(
            f"weight must be 1 where the images have no labels, got {weight}"
        )
    if weight < 1:
        checks.classes(student, data, "student", multi_label)
    flat_student, flat_teacher = graph.flatten(student), graph.flatten(teacher)
    input_range = checks.input_range(flat_student, input_range)
    teacher_input_range = checks.input_range(
        flat_teacher, teacher_input_range, "teacher_input_range"
    )
    if merged.is_merged(flat_student):
        recalibrate_batch_norm(student, data, seed=seed, input_range=input_range)
    loss = DistillationLoss(temperature, weight, multi_label, recipe.label_smoothing)
    settings = [
        *("distil", snapshot.checksum(teacher), temperature, weight, multi_label),
        *(feature_weight, input_range, teacher_input_range),
    ]
    progress = loop.run(
        Student(
            student,
            data.side,
            recipe,
            precision,
            seed,
            multi_label,
            input_range,
            teacher=teacher,
            teacher_input_range=teacher_input_range,
            loss=loss,
            feature_weight=feature_weight,
        ),
        data,
        recipe,
        seed=seed,
        settings=json.dumps(settings),
        snapshot_path=snapshot_path,
        on_epoch=on_epoch,
    )
    names = data.class_names if weight < 1 else _class_names(student, teacher, data)
    run_folder.note_training(student, data, names, teacher)
    return progress


def _class_names(student, teacher, data) -> tuple[str, ...]:
    """Names of the classes where the labels of the data are not used."""
    classes = student.output_shape[-1]
    for names in map(keras_file.class_names, (teacher, student)):
        if names is not None:
            return names
    if data.classes == classes:
        return data.class_names
    return tuple(map(str, range(classes)))


def _check_fit(student, teacher, multi_label):
    """Raise ValueError where the student cannot learn from this teacher."""
    student_weights = {id(variable) for variable in student.weights}
    if not student_weights.isdisjoint(map(id, teacher.weights)):
        raise ValueError(
            "teacher must be another model than student, and share no weights with it"
        )
    for name, model in (("student", student), ("teacher", teacher)):
        checks.shape(model, name)
        checks.activation(graph.flatten(model), multi_label, name)
    if teacher.output_shape[-1] != student.output_shape[-1]:
        raise ValueError(
            f"the teacher has {teacher.output_shape[-1]} classes, the student "
            f"{student.output_shape[-1]}"
        )


@dataclasses.dataclass
class Student(classifier.Classifier):
    """A `TrainingTask` whose clone gives the logits of student and teacher."""

    teacher: keras.Model | None = None
    teacher_input_range: tuple[float, float] | None = None
    loss: DistillationLoss | None = None
    feature_weight: float = 0.0

    def compiled(self, side: int | None, steps_per_epoch: int) -> keras.Model:
        student = self.clone(side)
        teacher = training_clone(
            self.teacher,
            self.source,
            precision=self.precision,
            input_range=self.teacher_input_range,
        )
        if self.feature_weight:
            student, teacher = map(_with_features, (student, teacher))
        student.name, teacher.name = "student", "teacher"
        teacher.trainable = False
        images = keras.Input((self.source, 3, self.source), dtype="uint8")
        inputs = [images, keras.Input((4,))]
        outputs = [student(inputs), teacher(inputs, training=False)]
        join = keras.layers.Concatenate(name="logits", dtype="float32")
        if self.feature_weight:
            logits, features = zip(*outputs, strict=True)
            distance = FeatureDistance(self.feature_weight, self.seed, dtype="float32")
            both = distance([join(logits), *features])
        else:
            both = join(outputs)
        clone = keras.Model(inputs, both)
        optimizer = self.recipe.build_optimizer(steps_per_epoch)
        assert self.loss is not None
        accuracy = keras.metrics.MeanMetricWrapper(self.loss.top1, name="top1")
        clone.compile(optimizer, loss=self.loss, metrics=[accuracy])
        optimizer.build(clone.trainable_variables)
        return clone

    def finish(self, trained: keras.Model) -> None:
        classifier.set_flat_weights(
            self.model, trained.get_layer("student").get_weights()
        )


def _with_features(clone):
    """A training clone that gives logits and its classifier's inputs `(batch, C)`."""
    crop, body = clone.get_layer("crop"), clone.layers[-1]
    *_, last = (
        layer
        for layer in body.layers
        if any(len(weight.shape) > 1 for weight in layer.weights)
    )
    features = last.input
    if len(features.shape) == 4:
        features = keras.layers.GlobalAveragePooling2D(dtype="float32")(features)
    both = keras.Model(body.input, [body.output, features])
    return keras.Model(clone.inputs, both(crop.output))
