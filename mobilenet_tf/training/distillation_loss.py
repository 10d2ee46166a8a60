"""Losses of distillation: distances of outputs and of features from the teacher's."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class FeatureDistance(keras.layers.Layer):
    """Adds the distance of two networks' features to the loss; passes the logits on.

    The features are the inputs of the classifiers, averaged over positions. The
    teacher's, each with mean 0 and variance 1 in the batch, are predicted from the
    student's by a linear map, which is trained with the student; the distance is the
    mean squared error.

    Args:
        weight: Of the distance in the loss.
        seed: Of the map's first weights.

    Source: Romero et al., "FitNets", arXiv 1412.6550, section 2.2.
    """

    def __init__(self, weight: float, seed: int | None = None, **options):
        super().__init__(name="features", **options)
        self.weight, self.seed = weight, seed

    def build(self, shapes: Any) -> None:
        _, student, teacher = shapes
        self.map = keras.layers.Dense(
            teacher[-1],
            kernel_initializer=keras.initializers.GlorotUniform(self.seed),
            name="map",
            dtype=self.dtype_policy,
        )
        self.map.build(student)

    def call(self, inputs: Any) -> Any:
        """`(batch, n), (batch, student's C), (batch, teacher's C) -> (batch, n)`."""
        logits, student, teacher = inputs
        teacher = ops.stop_gradient(teacher)
        mean, variance = ops.moments(teacher, axes=0)
        target = (teacher - mean) / ops.sqrt(variance + keras.config.epsilon())
        error = ops.mean(ops.square(self.map(student) - target))
        self.add_loss(self.weight * error)
        return logits


class DistillationLoss(keras.losses.Loss):
    """Cross-entropy with the labels and divergence from the teacher, mixed.

    `(1 - w) CE(y, s) + w T^2 KL(softmax(t / T) || softmax(s / T))` for the logits s of
    the student and t of the teacher; with attributes, the mean over them of the same
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

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """`(batch, classes), (batch, 2 classes) -> (batch,)`, the student's first."""
        student, teacher = ops.split(y_pred, 2, axis=-1)
        soft = self._divergence(student / self.temperature, teacher / self.temperature)
        loss = self.weight * self.temperature**2 * soft
        if self.weight < 1:
            loss = loss + (1 - self.weight) * self._cross_entropy(y_true, student)
        return loss

    def top1(self, y_true: Any, y_pred: Any) -> Any:
        """Whether the student's best class is the label, without labels the teacher's.

        For attributes, which of them agree.
        """
        student, teacher = ops.split(y_pred, 2, axis=-1)
        target = y_true if self.weight < 1 else teacher
        if self.multi_label:
            present = target > (0.5 if self.weight < 1 else 0.0)
            return ops.equal(student > 0, present)
        return ops.equal(ops.argmax(student, -1), ops.argmax(target, -1))

    def _divergence(self, student, teacher):
        if self.multi_label:
            own = _binary_cross_entropy(ops.sigmoid(teacher), teacher)
            return _binary_cross_entropy(ops.sigmoid(teacher), student) - own
        target = ops.log_softmax(teacher)
        return ops.sum(ops.exp(target) * (target - ops.log_softmax(student)), axis=-1)

    def _cross_entropy(self, y_true, student):
        outcomes = 2 if self.multi_label else student.shape[-1]
        target = y_true * (1 - self.label_smoothing) + self.label_smoothing / outcomes
        if self.multi_label:
            return _binary_cross_entropy(target, student)
        return -ops.sum(target * ops.log_softmax(student), axis=-1)


def _binary_cross_entropy(target, logits):
    """The mean over the attributes: `(batch, attributes) twice -> (batch,)`."""
    yes, no = ops.log_sigmoid(logits), ops.log_sigmoid(-logits)
    return -ops.mean(target * yes + (1 - target) * no, axis=-1)
