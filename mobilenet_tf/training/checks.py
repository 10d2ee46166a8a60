"""Checks that model, data and recipe fit together, before any training."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import keras
import numpy as np

from mobilenet_tf import arguments
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.models import graph, keras_file
from mobilenet_tf.training.recipe import Recipe


def kinds(data: DataSet, recipe: Recipe, **models: keras.Model) -> None:
    """Raise ValueError for arguments of the wrong class."""
    arguments.instance("data", data, DataSet)
    arguments.instance("recipe", recipe, Recipe)
    for name, model in models.items():
        arguments.instance(name, model, keras.Model)


def shape(model: keras.Model, name: str = "model") -> None:
    """Raise ValueError for a model that is not a classifier of square images."""
    inputs, outputs = model.input_shape, model.output_shape
    fits = len(inputs) == 4 and inputs[-1] == 3 and len(outputs) == 2
    if not fits or inputs[1] is None or inputs[1] != inputs[2]:
        raise ValueError(
            f"{name} must take (batch, side, side, 3) of a known side and give "
            f"(batch, classes), got {inputs} and {outputs}"
        )


def classes(
    model: keras.Model, data: DataSet, name: str = "model", multi_label: bool = False
) -> None:
    """Raise ValueError where a model's classes are not those of the data set.

    Args:
        model: A classifier.
        data: The data set.
        name: Of the argument that the model is.
        multi_label: Whether the data set must be multi-label.
    """
    if data.unlabelled:
        raise ValueError("the images of the data set must have labels, got none")
    if data.multi_label != multi_label:
        kinds = "single-label", "multi-label"
        raise ValueError(
            f"data must be {kinds[multi_label]}, got a {kinds[data.multi_label]} data "
            "set"
        )
    class_count(model, data, name)
    if not data.train.size:
        raise ValueError("data must have training images, got none")


def class_count(model: keras.Model, data: DataSet, name: str = "model") -> None:
    """Raise ValueError where a model has another number of classes than the data."""
    if model.output_shape[-1] != data.classes:
        raise ValueError(
            f"{name} has {model.output_shape[-1]} classes, the data set {data.classes}"
        )


def held_out(model: keras.Model, data: DataSet) -> None:
    """Warn of validation photographs that a model was trained on before."""
    known = set(keras_file.train_digests(model))
    seen = sum(digest in known for digest in data.evaluation_digests)
    if seen:
        warnings.warn(
            f"the model was trained on {seen:,} of the {data.evaluation.size:,} "
            "validation photographs, so its validation accuracy will be too high; "
            "from_folder(continue_from=model) holds out none of them",
            stacklevel=3,
        )


def activation(model: keras.Model, multi_label: bool, name: str = "model") -> None:
    """Raise ValueError where the model's activation contradicts `multi_label`."""
    wrong: Callable = (
        keras.activations.softmax if multi_label else keras.activations.sigmoid
    )
    last = model.layers[-1]
    activation = getattr(last, "activation", None)
    if isinstance(last, keras.layers.Softmax):
        activation = keras.activations.softmax
    if activation is wrong:
        raise ValueError(
            f"{name} must not end in {wrong.__name__} where multi_label is "
            f"{multi_label}"
        )
    if multi_label and _rectified(last):
        raise ValueError(
            f"{name} must give logits of both signs where multi_label is True, got "
            "those of a ReLU; classifier_activation='sigmoid' makes them so"
        )


def _rectified(layer):
    """Whether the outputs of a layer are those of a ReLU, never below zero."""
    pooling = (
        *(keras.layers.GlobalAveragePooling2D, keras.layers.GlobalMaxPooling2D),
        *(keras.layers.Flatten, keras.layers.Dropout),
    )
    linear = (None, keras.activations.linear)
    while isinstance(layer, pooling) or (
        isinstance(layer, keras.layers.Activation) and layer.activation in linear
    ):
        layer = layer.input._keras_history.operation
    relus = (keras.activations.relu, keras.activations.relu6)
    return (
        isinstance(layer, keras.layers.ReLU)
        or getattr(layer, "activation", None) in relus
    )


def input_range(
    model: keras.Model, given: tuple[float, float] | None, name: str = "input_range"
) -> tuple[float, float]:
    """A model's inputs for black and for white: the given values, or its own.

    Args:
        model: Flat, see `graph.flatten`.
        given: The argument; None reads the values from the model's layers.
        name: The argument's name.

    Raises:
        ValueError: The model's layers do not determine them, or `given` is no rising
            pair.
    """
    if given is None:
        own = graph.input_range(model)
        if own is None:
            raise ValueError(
                f"{name} must be given for {model.name!r}, whose layers do not "
                "determine it: (-1, 1), (0, 1) or (0, 255) for black and white"
            )
        return own
    low, high = arguments.sequence(name, given, 2)
    for value in (low, high):
        arguments.number(name, value, lambda value: True, "for black and for white")
    if not low < high:
        raise ValueError(f"{name} must be (black, white), rising, got {given!r}")
    return float(low), float(high)


def finite(scores: np.ndarray) -> None:
    """Raise ValueError where a network's scores are not finite."""
    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite, got others: the network has diverged")
