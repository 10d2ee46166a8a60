"""The network of a distillation as it is trained: the student beside its teacher."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import keras

from mobilenet_tf.training import classifier
from mobilenet_tf.training.clone import training_clone
from mobilenet_tf.training.distillation_loss import DistillationLoss, FeatureDistance
from mobilenet_tf.training.teacher_outputs import TeacherOutputs


@dataclasses.dataclass
class Student(classifier.Classifier):
    """A `TrainingTask` whose clone gives the logits of student and teacher."""

    teacher: keras.Model | None = None
    teacher_input_range: tuple[float, float] | None = None
    loss: DistillationLoss | None = None
    feature_weight: float = 0.0
    outputs: TeacherOutputs | None = None

    def batches(self, batches: Iterator, first_epoch: int) -> Iterator:
        if self.outputs is None:
            return batches
        return self.outputs.attached(batches, first_epoch)

    def compiled(self, side: int | None, steps_per_epoch: int) -> keras.Model:
        clone = self._with_outputs(side) if self.outputs else self._with_teacher(side)
        optimizer = self.recipe.build_optimizer(steps_per_epoch)
        assert self.loss is not None
        accuracy = keras.metrics.MeanMetricWrapper(self.loss.top1, name="top1")
        clone.compile(optimizer, loss=self.loss, metrics=[accuracy])
        optimizer.build(clone.trainable_variables)
        return clone

    def _with_outputs(self, side):
        """`[images, crops, teacher's logits]` to the logits of both."""
        student = self.clone(side)
        student.name = "student"
        inputs = self._inputs()
        logits = keras.Input(student.output_shape[1:], name="teacher_logits")
        join = keras.layers.Concatenate(name="logits", dtype="float32")
        return keras.Model([*inputs, logits], join([student(inputs), logits]))

    def _inputs(self):
        images = keras.Input((self.source, 3, self.source), dtype="uint8")
        return [images, keras.Input((self.recipe.augmentation.numbers,))]

    def _with_teacher(self, side):
        """`[images, crops]` to the logits of student and teacher."""
        student = self.clone(side)
        teacher = training_clone(
            self.teacher,
            self.source,
            precision=self.precision,
            input_range=self.teacher_input_range,
            crop_numbers=self.recipe.augmentation.numbers,
        )
        if self.feature_weight:
            student, teacher = map(_with_features, (student, teacher))
        student.name, teacher.name = "student", "teacher"
        teacher.trainable = False
        inputs = self._inputs()
        outputs = [student(inputs), teacher(inputs, training=False)]
        join = keras.layers.Concatenate(name="logits", dtype="float32")
        if self.feature_weight:
            logits, features = zip(*outputs, strict=True)
            distance = FeatureDistance(self.feature_weight, self.seed, dtype="float32")
            both = distance([join(logits), *features])
        else:
            both = join(outputs)
        return keras.Model(inputs, both)

    def finish(self, trained: keras.Model) -> None:
        classifier.set_flat_weights(
            self.model, trained.get_layer("student").get_weights()
        )


def _with_features(clone):
    """A training clone that gives logits and its classifier's inputs `(batch, C)`."""
    *_, last = (
        layer
        for layer in clone.layers
        if any(len(weight.shape) > 1 for weight in layer.weights)
    )
    features = last.input
    if len(features.shape) == 4:
        features = keras.layers.GlobalAveragePooling2D(dtype="float32")(features)
    return keras.Model(clone.inputs, [clone.output, features])
