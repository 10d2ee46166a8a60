"""Ways to fine-tune a published network: ours, and what Keras users do."""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np

import mobilenet_tf
from mobilenet_tf.data import DataSet
from mobilenet_tf.data.boxes import central_boxes
from mobilenet_tf.data.dataset import Batch
from mobilenet_tf.training import recalibrate_batch_norm
from mobilenet_tf.training.cropping import crop_resize
from mobilenet_tf.training.evaluation import evaluate_batches
from mobilenet_tf.training.recipes import FINE_TUNE


@dataclasses.dataclass(frozen=True)
class Task:
    """What is fine-tuned, on what.

    Attributes:
        weights: File of the published weights.
        alpha: Width multiplier.
        side: Of the input, in pixels.
        per_class: Training images of each class.
        seed: Seed of the choice of images, of initial weights and of order.
        epochs: Passes over the training images.
    """

    weights: str
    alpha: float
    side: int
    per_class: int
    seed: int
    epochs: int

    def build(self, **arguments: object) -> keras.Model:
        """The network with its published weights."""
        keras.utils.set_random_seed(self.seed)
        return mobilenet_tf.build(
            self.alpha, base_resolution=self.side, weights=self.weights, **arguments
        )


def as_keras_users_have_it(
    task: Task, data: DataSet, **arguments: object
) -> keras.Model:
    """The network with statistics in its batch normalisation, as in Keras' own files.

    The published weights have them merged into the convolutions. `fit` of this package
    undoes that by itself; with stock Keras it would decide every comparison.
    """
    network = task.build(**arguments)
    recalibrate_batch_norm(network, data, seed=task.seed)
    return network


def with_recipe(task: Task, data: DataSet) -> keras.Model:
    """`mobilenet_tf.fit` with the recipe `fine_tune`."""
    model = task.build(classes=data.classes)
    mobilenet_tf.fit(model, data, epochs=task.epochs, seed=task.seed, report=None)
    return model


def frozen_then_unfrozen(task: Task, data: DataSet) -> keras.Model:
    """The guide https://keras.io/guides/transfer_learning: Adam, then Adam at 1e-5.

    Two thirds of the epochs train a new classifier on the frozen network, one third all
    layers, with batch normalisation as in inference throughout. For that the guide has
    `training=False`, which `fit` of Keras 3 overrides once the layers are unfrozen.
    """
    base = as_keras_users_have_it(task, data, include_top=False)
    base.trainable = False
    inputs = keras.Input((task.side, task.side, 3))
    x = base(scaled(augmented(inputs)), training=False)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dropout(0.2)(x)
    model = keras.Model(inputs, keras.layers.Dense(data.classes)(x))
    unfrozen = task.epochs // 3
    fit_as_keras_does(
        model, task, data, keras.optimizers.Adam(), task.epochs - unfrozen
    )
    base.trainable = True
    for layer in base.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    fit_as_keras_does(model, task, data, keras.optimizers.Adam(1e-5), unfrozen)
    return model


def all_at_once(learning_rate: float) -> Callable[[Task, DataSet], keras.Model]:
    """`model.fit` of the whole network with Adam."""

    def train(task: Task, data: DataSet) -> keras.Model:
        network = as_keras_users_have_it(
            task, data, classes=data.classes, classifier_activation=None
        )
        inputs = keras.Input((task.side, task.side, 3))
        model = keras.Model(inputs, network(scaled(augmented(inputs))))
        optimizer = keras.optimizers.Adam(learning_rate)
        fit_as_keras_does(model, task, data, optimizer, task.epochs)
        return model

    return train


WAYS: dict[str, Callable[[Task, DataSet], keras.Model]] = {
    "fine_tune": with_recipe,
    "frozen, then unfrozen": frozen_then_unfrozen,
    "model.fit, Adam": all_at_once(1e-3),
    "model.fit, Adam at 1e-4": all_at_once(1e-4),
}


def augmented(pixels: keras.KerasTensor) -> keras.KerasTensor:
    """The augmentation of the guide."""
    pixels = keras.layers.RandomFlip("horizontal")(pixels)
    return keras.layers.RandomRotation(0.1)(pixels)


def scaled(pixels: keras.KerasTensor) -> keras.KerasTensor:
    """Pixels from 0 to 255 as the networks expect them."""
    return keras.layers.Rescaling(1 / 127.5, -1)(pixels)


def fit_as_keras_does(
    model: keras.Model,
    task: Task,
    data: DataSet,
    optimizer: keras.optimizers.Optimizer,
    epochs: int,
) -> None:
    """Compile and `fit` on whole images at the network's size."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss=loss)
    contents = data.train.contents
    model.fit(
        resized(contents, task.side),
        contents.labels,
        batch_size=FINE_TUNE.batch_size,
        epochs=epochs,
        verbose=0,
    )


def resized(batch: Batch, side: int) -> np.ndarray:
    """Whole images, float32 `(n, side, side, 3)` from 0 to 255."""
    boxes = central_boxes(len(batch), 1.0)
    pixels = crop_resize(batch.images, boxes, side, (0.0, 255.0))
    return keras.ops.convert_to_numpy(pixels)


def top1(model: keras.Model, task: Task, data: DataSet, way: str) -> float:
    """Accuracy on the validation split, its images prepared as in the training."""
    if way == "fine_tune":
        return mobilenet_tf.evaluate(
            model, data, central_fraction=FINE_TUNE.central_fraction
        ).top1
    batches = (
        (resized(batch, task.side), batch.labels)
        for batch in data.evaluation.epoch(256)
    )
    return evaluate_batches(model, batches).top1
