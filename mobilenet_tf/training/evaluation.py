"""Accuracy of a network on a whole split, image by image."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import keras
import numpy as np

from mobilenet_tf import arguments
from mobilenet_tf.data.batches import evaluation_batches
from mobilenet_tf.data.dataset import DataSet, Split
from mobilenet_tf.models import graph, keras_file
from mobilenet_tf.training import attributes, checks, inference
from mobilenet_tf.training.clone import training_clone
from mobilenet_tf.training.measures import Evaluation

BATCH_SIZE = 256


def evaluate(
    model: keras.Model,
    data: DataSet | Split,
    side: int | None = None,
    central_fraction: float = 0.875,
    multi_label: bool | None = None,
    *,
    input_range: tuple[float, float] | None = None,
) -> Evaluation:
    """Measure a classifier on a data set's evaluation split, or on a split.

    One central crop, its height and width `central_fraction` of the image's, scaled to
    the model's input whatever the aspect ratio, as TF-Slim evaluates.

    Args:
        model: A classifier with probabilities or logits as output, with any head.
        data: A data set, of which the evaluation split is taken, or a split, which is
            evaluated in order to the last image.
        side: Side in pixels of a split's stored images; a data set knows its own.
        central_fraction: In (0, 1].
        multi_label: Whether each output is an attribute of its own; None means that of
            the data set, and False for a split.
        input_range: The model's inputs for black and for white; None reads them from
            its layers, see `mobilenet_tf.models.graph.input_range`.

    Raises:
        ValueError: The labels or the model's outputs are not as `multi_label` says, or
            there are no labels; the data set has other classes than the model; or an
            argument is out of its range.
    """
    arguments.number(
        "central_fraction", central_fraction, lambda value: 0 < value <= 1, "in (0, 1]"
    )
    if isinstance(data, DataSet):
        _check_classes(model, data)
        split, side = data.evaluation, data.side
        multi_label = data.multi_label if multi_label is None else multi_label
    elif side is None:
        raise ValueError("side must be that of the split's images in pixels, got None")
    else:
        split = data
    multi_label = bool(multi_label)
    flat = graph.flatten(model)
    checks.activation(flat, multi_label)
    clone = training_clone(
        flat, side, input_range=checks.input_range(flat, input_range)
    )
    evaluation = measure(
        clone, split, flat.output_shape[-1], central_fraction, multi_label
    )
    names = keras_file.class_names(model)
    if isinstance(data, DataSet):
        names = data.class_names
    return dataclasses.replace(evaluation, class_names=names or evaluation.class_names)


def _check_classes(model, data):
    """Raise where numbers of classes mean others to the model than to the data set."""
    if data.unlabelled:
        return  # an error of its own
    checks.class_count(model, data)
    keras_file.check_class_names(model, data.class_names)


def measure(
    clone: keras.Model,
    split: Split,
    classes: int,
    central_fraction: float,
    multi_label: bool,
) -> Evaluation:
    """Evaluate a network as it is trained; see `training_clone` and `evaluate`.

    Raises:
        ValueError: As `evaluate`.
    """
    batches = evaluation_batches(
        split, classes, BATCH_SIZE, central_fraction, multi_label
    )
    logits_of = inference.Outputs(clone)
    scored = ((logits_of(list(inputs)), targets) for inputs, targets in batches)
    if multi_label:
        return _of_attributes(scored)
    return _of_classes((logits, targets.argmax(1)) for logits, targets in scored)


def evaluate_batches(
    model: keras.Model, batches: Iterable[tuple[np.ndarray, np.ndarray]]
) -> Evaluation:
    """Measure a classifier on images that are prepared for it.

    Args:
        model: A classifier with probabilities or logits as output.
        batches: `(images, labels)` each, such as a `tf.data.Dataset`: images as the
            model takes them, labels as integers `(batch,)`.

    Raises:
        ValueError: There are no images, or a score is not finite.
    """
    head = graph.head(model)
    gives_logits = head is None or head.activation == "linear"

    def to_logits(scores: np.ndarray) -> np.ndarray:
        if gives_logits:
            return scores
        return np.log(np.maximum(scores, keras.config.epsilon()))

    scores_of = inference.Outputs(model)
    return _of_classes(
        (to_logits(scores_of(images)), keras.ops.convert_to_numpy(labels))
        for images, labels in batches
    )


def _of_classes(scored: Iterable[tuple[np.ndarray, np.ndarray]]) -> Evaluation:
    """From logits `(batch, classes)` and labels `(batch,)`."""
    ranks, losses, pairs, classes = [], [], [], 0
    for logits, labels in scored:
        checks.finite(logits)
        classes = logits.shape[1]
        own = np.take_along_axis(logits, labels[:, None], 1)
        # The label's rank: classes with a higher score, and of equal scores those of
        # lower index, as argmax would have it.
        earlier = np.arange(classes) < labels[:, None]
        ranks.append(((logits > own) | ((logits == own) & earlier)).sum(1))
        shifted = logits.astype("float64") - logits.max(1, keepdims=True)
        total = np.log(np.exp(shifted).sum(1))
        losses.append(total - np.take_along_axis(shifted, labels[:, None], 1)[:, 0])
        pairs.append(labels * classes + logits.argmax(1))
    if not ranks:
        raise ValueError("there are no images to evaluate")
    rank = np.concatenate(ranks)
    return Evaluation(
        images=len(rank),
        loss=float(np.concatenate(losses).mean()),
        top1=float((rank < 1).mean()),
        top5=float((rank < 5).mean()) if classes > 5 else None,
        correct=rank < 1,
        confusion=np.bincount(np.concatenate(pairs), minlength=classes**2).reshape(
            classes, classes
        ),
        class_names=tuple(map(str, range(classes))),
    )


def _of_attributes(scored: Iterable[tuple[np.ndarray, np.ndarray]]) -> Evaluation:
    """From logits and 0 or 1, both `(batch, attributes)`."""
    logits, targets = map(np.concatenate, zip(*scored, strict=True))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)(targets, logits)
    return Evaluation(
        images=len(targets),
        loss=float(loss),
        mean_ap=attributes.mean_average_precision(targets, logits),
    )
