"""What an export needs to know of a network: its end, its logits, its labels."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from mobilenet_tf.imagenet import CLASSES, wordnet_ids


def has_classifier(model: keras.Model) -> bool:
    """Whether a network of ours ends with classes rather than features."""
    return model.layers[-1].name == "classifier"


def gives_logits(model: keras.Model) -> bool:
    """Whether the classifier has no activation."""
    return model.layers[-1].activation is keras.activations.linear


def with_logits(model: keras.Model) -> keras.Model:
    """The same network without the classifier's activation."""

    def same(layer):
        config = layer.get_config()
        if layer is model.layers[-1]:
            config["activation"] = "linear"
        return type(layer).from_config(config)

    clone = keras.models.clone_model(model, clone_function=same)
    clone.set_weights(model.get_weights())
    return clone


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
        ValueError: There are not as many labels as classes.
    """
    if not has_classifier(model):
        return None
    classes = model.output_shape[-1]
    if labels is None:
        ids = wordnet_ids()
        return ids if classes == CLASSES else [str(index) for index in range(classes)]
    if len(labels) != classes:
        raise ValueError(f"labels must be {classes} names, got {len(labels)}")
    return list(labels)
