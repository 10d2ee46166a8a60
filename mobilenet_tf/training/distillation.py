"""Training a small network to emulate a larger one.

The student learns the teacher's softened outputs, the labels, or a mixture. With soft
targets alone no label is looked at, so any images will do, as in arXiv 1704.04861,
sections 4.5 and 4.7.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import keras
from keras import ops

from mobilenet_tf import arguments
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.training import classifier, loop
from mobilenet_tf.training.clone import PRECISIONS, training_clone
from mobilenet_tf.training.recipe import Recipe


def distil(
    student: keras.Model,
    teacher: keras.Model,
    data: DataSet,
    recipe: Recipe,
    *,
    temperature: float = 4.0,
    weight: float = 0.9,
    multi_label: bool = False,
    seed: int = 0,
    precision: str = "float32",
    snapshot_path: Path | None = None,
    on_epoch: Callable[[loop.Progress], None] = lambda progress: None,
) -> loop.Progress:
    """Train the student in place.

    The teacher sees the same crops, scaled to its own input, and does not change.

    Args:
        student: A classifier built after `keras.utils.set_random_seed(seed)`.
        teacher: A trained classifier of the same classes, of any input side.
        data: Images, and labels where `weight` is below 1; without them they may be
            loaded with `unlabelled=True`.
        recipe: How to train.
        temperature: Divides both networks' logits before they are compared, > 0.
        weight: Share of the soft targets in the loss, in (0, 1]; the labels have the
            rest. At 1 the labels are not used, and may be of other classes.
        multi_label: Whether each output is an attribute of its own (sigmoid) instead
            of one of several classes (softmax).
        seed: Seed of batch order, augmentation and dropout.
        precision: See `mobilenet_tf.training.clone.training_clone`.
        snapshot_path: `.npz` file that holds the state after each epoch.
        on_epoch: Called after each epoch, when its snapshot is on disk.

    Returns:
        Epochs, seconds and history; its accuracy is agreement with the teacher where
        the labels are not used, and with attributes the share of them.

    Raises:
        ValueError: An argument is out of its range, or the networks do not fit.

    Source: Hinton et al., arXiv 1503.02531, section 2.
    """
    arguments.number("temperature", temperature, lambda value: value > 0, "> 0")
    arguments.number("weight", weight, lambda value: 0 < value <= 1, "in (0, 1]")
    arguments.one_of("precision", precision, PRECISIONS)
    _check_fit(student, teacher, multi_label)
    if weight < 1:
        classifier.check_classes(student, data, "student", multi_label)
    loss = DistillationLoss(temperature, weight, multi_label, recipe.label_smoothing)
    return loop.run(
        Student(
            student,
            data.side,
            recipe,
            precision,
            seed,
            multi_label,
            teacher=teacher,
            loss=loss,
        ),
        data,
        recipe,
        seed=seed,
        snapshot_path=snapshot_path,
        on_epoch=on_epoch,
    )


def _check_fit(student, teacher, multi_label):
    """Raise ValueError where one cannot learn from the other."""
    if teacher is student:
        raise ValueError("teacher must be another model than student")
    for name, model in (("student", student), ("teacher", teacher)):
        given, found = model.input_shape, model.output_shape
        if len(given) != 4 or given[-1] != 3 or len(found) != 2:
            raise ValueError(
                f"{name} must take (batch, height, width, 3), give (batch, classes), "
                f"got {given} and {found}"
            )
        classifier.check_activation(model, multi_label, name)
    if teacher.output_shape[-1] != student.output_shape[-1]:
        raise ValueError(
            f"the teacher has {teacher.output_shape[-1]} classes, the student "
            f"{student.output_shape[-1]}"
        )


@dataclasses.dataclass
class Student(classifier.Classifier):
    """A `Trainee` whose training clone gives the logits of student and teacher."""

    teacher: keras.Model | None = None
    loss: DistillationLoss | None = None

    def compiled(self, side: int | None, steps_per_epoch: int) -> keras.Model:
        student = self.clone(side)
        teacher = training_clone(self.teacher, self.source, precision=self.precision)
        student.name, teacher.name = "student", "teacher"
        teacher.trainable = False
        images = keras.Input((self.source, 3, self.source), dtype="uint8")
        boxes = keras.Input((4,))
        both = keras.layers.Concatenate(name="logits", dtype="float32")(
            [student([images, boxes]), teacher([images, boxes], training=False)]
        )
        clone = keras.Model([images, boxes], both)
        optimizer = self.recipe.build_optimizer(steps_per_epoch)
        accuracy = keras.metrics.MeanMetricWrapper(self.loss.top1, name="top1")
        clone.compile(optimizer, loss=self.loss, metrics=[accuracy])
        optimizer.build(clone.trainable_variables)
        return clone

    def finish(self, trained: keras.Model) -> None:
        self.model.set_weights(trained.get_layer("student").get_weights())


class DistillationLoss(keras.losses.Loss):
    """Cross-entropy with the labels and divergence from the teacher, mixed.

    `(1 - w) CE(y, s) + w T^2 KL(softmax(t / T) || softmax(s / T))` for the logits s of
    the student and t of the teacher; with attributes, the sum over them of the same
    for two outcomes each. T^2 keeps the gradients' size whatever the temperature.

    Args:
        temperature: T, > 0.
        weight: w, in (0, 1].
        multi_label: Whether outputs are attributes instead of classes.
        label_smoothing: Share of the label spread over all classes.
    """

    def __init__(
        self,
        temperature: float,
        weight: float,
        multi_label: bool = False,
        label_smoothing: float = 0.0,
    ):
        super().__init__(name="distillation")
        self.temperature, self.weight = temperature, weight
        self.multi_label, self.label_smoothing = multi_label, label_smoothing

    def call(self, y_true, y_pred):
        """`(batch, classes), (batch, 2 classes) -> (batch,)`, the student's first."""
        student, teacher = ops.split(y_pred, 2, axis=-1)
        soft = self._divergence(student / self.temperature, teacher / self.temperature)
        loss = self.weight * self.temperature**2 * soft
        if self.weight < 1:
            loss = loss + (1 - self.weight) * self._cross_entropy(y_true, student)
        return loss

    def top1(self, y_true, y_pred):
        """Whether the student's best class is the label's, or else the teacher's.

        Of attributes, which of them are.
        """
        student, teacher = ops.split(y_pred, 2, axis=-1)
        wanted = y_true if self.weight < 1 else teacher
        if self.multi_label:
            present = wanted > (0.5 if self.weight < 1 else 0.0)
            return ops.equal(student > 0, present)
        return ops.equal(ops.argmax(student, -1), ops.argmax(wanted, -1))

    def _divergence(self, student, teacher):
        if self.multi_label:
            own = _binary_cross_entropy(ops.sigmoid(teacher), teacher)
            return _binary_cross_entropy(ops.sigmoid(teacher), student) - own
        wanted = ops.log_softmax(teacher)
        return ops.sum(ops.exp(wanted) * (wanted - ops.log_softmax(student)), axis=-1)

    def _cross_entropy(self, y_true, student):
        outcomes = 2 if self.multi_label else student.shape[-1]
        wanted = y_true * (1 - self.label_smoothing) + self.label_smoothing / outcomes
        if self.multi_label:
            return _binary_cross_entropy(wanted, student)
        return -ops.sum(wanted * ops.log_softmax(student), axis=-1)


def _binary_cross_entropy(wanted, logits):
    """Summed over the attributes: `(batch, attributes) twice -> (batch,)`."""
    yes, no = ops.log_sigmoid(logits), ops.log_sigmoid(-logits)
    return -ops.sum(wanted * yes + (1 - wanted) * no, axis=-1)
