"""Training a small network to emulate a larger one.

The student learns the teacher's softened outputs, the labels, or a mixture, and the
features that the teacher's classifier sees. Without labels any images will do, as in
arXiv 1704.04861, sections 4.5 and 4.7.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import keras

from mobilenet_tf import arguments
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.models import graph, keras_file, merged
from mobilenet_tf.training import (
    checks,
    loop,
    recipes,
    run_folder,
    snapshot,
)
from mobilenet_tf.training.distillation_loss import DistillationLoss
from mobilenet_tf.training.normalization import recalibrate_batch_norm
from mobilenet_tf.training.precision import choose
from mobilenet_tf.training.recipe import Recipe
from mobilenet_tf.training.student import Student
from mobilenet_tf.training.teacher_outputs import TeacherOutputs


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
    outputs_folder: str | os.PathLike | None = None,
    report: Callable[[str], None] | None = None,
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
        outputs_folder: Keeps the teacher's outputs for every crop of the training, 4
            bytes for each image, epoch and class. They are computed where they are
            missing, and serve all students that see the same crops: of the same data,
            batch size, augmentation and seed. None computes them in every step.
        report: Called with a line for every epoch of outputs that is computed.
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
    if outputs_folder is not None and feature_weight:
        raise ValueError(
            "outputs_folder must be None with feature_weight: only outputs are kept"
        )
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
    outputs = None
    if outputs_folder is not None:
        outputs = TeacherOutputs(
            *(outputs_folder, teacher, data, recipe),
            *(seed, precision, teacher_input_range),
        )
        outputs.prepare(recipe.epochs, report)
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
            outputs=outputs,
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
