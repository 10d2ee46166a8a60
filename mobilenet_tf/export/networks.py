"""What an export needs to know of a network: its end, its logits, its labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import numpy as np

from mobilenet_tf.models.imagenet import CLASSES, wordnet_ids
from mobilenet_tf.training.accelerated import SplitConv2D

BATCH = 64  # images at once, whatever their number


def has_classifier(model: keras.Model) -> bool:
    """Whether a network of ours ends with classes rather than features."""
    return model.layers[-1].name == "classifier"


def gives_logits(model: keras.Model) -> bool:
    """Whether the classifier has no activation, rather than softmax.

    Raises:
        ValueError: It has another one, such as a sigmoid.
    """
    activation = model.layers[-1].activation
    if activation not in (keras.activations.linear, keras.activations.softmax):
        raise ValueError(
            "classifier_activation must be 'softmax' or None here, got "
            f"{keras.activations.serialize(activation)!r}"
        )
    return activation is keras.activations.linear


def outputs(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """What a model gives for images, some at a time."""
    return in_batches(lambda some: model(some, training=False), inputs)


def in_batches(run: Callable, inputs: Sequence) -> np.ndarray:
    """The outputs of a function for many images, some at a time."""
    found = [
        keras.ops.convert_to_numpy(run(inputs[start : start + BATCH]))
        for start in range(0, len(inputs), BATCH)
    ]
    return np.concatenate(found)


def with_logits(model: keras.Model) -> keras.Model:
    """The same network without the classifier's activation."""

    def same(layer):
        config = layer.get_config()
        if layer is model.layers[-1]:
            config["activation"] = "linear"
        return type(layer).from_config(config)

    return _cloned(model, same)


def _cloned(model, layer_by_layer):
    clone = keras.models.clone_model(model, clone_function=layer_by_layer)
    clone.set_weights(model.get_weights())
    return clone


def with_split_groups(model: keras.Model) -> keras.Model:
    """The same network, each group of a convolution by itself.

    TensorFlow computes groups through XLA, which tf2onnx does not know.
    """

    def split(layer):
        grouped = getattr(layer, "groups", 1) > 1
        return (SplitConv2D if grouped else type(layer)).from_config(layer.get_config())

    return _cloned(model, split)


def on_images(
    model: keras.Model, *, batch_size: int | None = None, pixels: bool = False
) -> keras.Model:
    """The model behind an input with the name `image`.

    Args:
        model: One of our networks.
        batch_size: Images at once; None means any number.
        pixels: Whether images have values from 0 to 255, rather than from -1 to 1.
    """
    inputs = keras.Input(model.input_shape[1:], batch_size=batch_size, name="image")
    x = inputs
    if pixels:
        x = keras.layers.Rescaling(1 / 127.5, -1, name="scale")(x)
    return keras.Model(inputs, model(x), name=model.name)


def class_labels(
    model: keras.Model, labels: Sequence[str] | None = None
) -> list[str] | None:
    """Names of the classes; None for a network without a classifier.

    Raises:
        ValueError: They are not as many names as there are classes.
    """
    if not has_classifier(model):
        if labels is not None:
            raise ValueError("labels must be None for a network without a classifier")
        return None
    classes = model.output_shape[-1]
    if labels is None:
        ids = wordnet_ids()
        return ids if classes == CLASSES else [str(index) for index in range(classes)]
    if isinstance(labels, str) or len(labels) != classes:
        raise ValueError(f"labels must be {classes} names, got {len(labels)}")
    for label in labels:
        if not isinstance(label, str) or len(label.splitlines()) > 1:
            raise ValueError(f"labels must be names of one line each, got {label!r}")
    return list(labels)
