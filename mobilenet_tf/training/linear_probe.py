"""The best classifier for the features that a network has, before it is trained.

A fresh classifier sends random gradients into trained features. One that is fitted to
them first does not, and fine-tuning then keeps what they are good for: Kumar et al.,
"Fine-tuning can distort pretrained features and underperform out-of-distribution",
arXiv 2202.10054.
"""

from __future__ import annotations

import dataclasses

import keras
import numpy as np

from mobilenet_tf.data.batches import training_batches
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.models import graph
from mobilenet_tf.training.cropping import crop_resize
from mobilenet_tf.training.recipe import Recipe

# Crops that the classifier is fitted to: of few images several, of many one each.
_FEW, _MOST, _MOST_OF_AN_IMAGE = 2048, 16384, 16
_BATCH_SIZE = 64
# Best of 0.001 to 0.1 on ten classes of tinyimagenet100, for 10 and for 50 images a
# class: features of ImageNet are many for few images.
_PENALTY = 0.1
_STEPS = 300


def fit_classifier(
    model: keras.Model,
    data: DataSet,
    recipe: Recipe,
    input_range: tuple[float, float],
    seed: int = 0,
) -> bool:
    """Fit the last layer of a network to the features of its training images.

    Logistic regression on the features of random crops, with an L2 penalty on the
    kernel; all other layers stay as they are.

    Args:
        model: A classifier; models inside it are no hindrance.
        data: Its training split is used: from 2,048 to 16,384 crops, at most 16 of an
            image.
        recipe: Says what crops are like, and how the labels are smoothed.
        input_range: What the model expects of black and of white.
        seed: Seed of order and crops.

    Returns:
        Whether the classifier was fitted: False where it is no fully connected layer.
    """
    flat = graph.flatten(model)
    head = graph.head(flat)
    if head is None or not isinstance(head.layer, keras.layers.Dense):
        return False
    extractor = keras.Model(flat.input, head.layer.input)
    count = data.train.size
    batch_size = min(_BATCH_SIZE, count)
    crops = min(max(count, _FEW), _MOST, _MOST_OF_AN_IMAGE * count)
    batches = training_batches(
        data.train,
        data.classes,
        batch_size,
        seed,
        0,
        dataclasses.replace(recipe.augmentation, mixup=0.0, cutmix=0.0),
    )
    features, targets = [], []
    for _, ((images, boxes), labels) in zip(
        range(-(-crops // batch_size)), batches, strict=False
    ):
        inputs = crop_resize(images, boxes, flat.input_shape[1], input_range)
        features.append(keras.ops.convert_to_numpy(extractor.predict_on_batch(inputs)))
        targets.append(labels)
    weights = logistic_regression(
        np.concatenate(features),
        _smoothed(np.concatenate(targets), recipe.label_smoothing, data.multi_label),
        penalty=_PENALTY,
        multi_label=data.multi_label,
    )
    head.layer.set_weights(weights[: len(head.layer.weights)])
    if flat is not model:
        graph.copy_weights(flat, model)
    return True


def logistic_regression(
    features: np.ndarray,
    targets: np.ndarray,
    *,
    penalty: float,
    multi_label: bool = False,
    steps: int = _STEPS,
) -> list[np.ndarray]:
    """Kernel `(features, classes)` and bias `(classes,)` by Nesterov's gradient method.

    Args:
        features: float32 `(n, features)`; they are standardised inside.
        targets: float32 `(n, classes)`, probabilities in each row; or in each cell.
        penalty: Weight of half the squared norm of the kernel, for features of
            variance 1, against the mean loss.
        multi_label: Whether each class is an attribute of its own.
        steps: Of the gradient method.
    """
    mean, deviation = features.mean(0), features.std(0) + 1e-6
    inputs = np.append((features - mean) / deviation, np.ones((len(features), 1)), 1)
    inputs = inputs.astype("float32")
    decay = np.full((inputs.shape[1], 1), penalty, "float32")
    decay[-1] = 0  # of the bias
    curvature = np.linalg.eigvalsh(inputs.T @ inputs / len(inputs))[-1] / 2 + penalty
    weights = previous = np.zeros((inputs.shape[1], targets.shape[1]), "float32")
    for step in range(steps):
        point = weights + step / (step + 3) * (weights - previous)
        errors = _probabilities(inputs @ point, multi_label) - targets
        gradient = inputs.T @ errors / len(inputs) + decay * point
        previous, weights = weights, point - gradient / curvature
    kernel = weights[:-1] / deviation[:, None]
    return [kernel, weights[-1] - mean @ kernel]


def _probabilities(scores: np.ndarray, multi_label: bool) -> np.ndarray:
    if multi_label:
        return 1 / (1 + np.exp(-scores))
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def _smoothed(targets: np.ndarray, smoothing: float, multi_label: bool) -> np.ndarray:
    uniform = 0.5 if multi_label else 1 / targets.shape[1]
    return targets * (1 - smoothing) + smoothing * uniform
