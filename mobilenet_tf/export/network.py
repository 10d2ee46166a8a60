"""A user's model, prepared for all exports."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from numbers import Real

import keras
import numpy as np
from keras import layers

from mobilenet_tf.models import graph
from mobilenet_tf.models.imagenet import CLASSES, wordnet_ids
from mobilenet_tf.training.accelerated import SplitConv2D


@dataclasses.dataclass(frozen=True)
class Network:
    """A model and its properties that exports need.

    Attributes:
        model: As the user calls it. Files are verified against this model alone.
        input_range: Its inputs for black and for white.
        core: The same network flat and without its first layers if these rescale; files
            are made from it.
        core_range: Inputs of `core` for black and for white.
        head: Its classifier; None for a network that gives features.
        labels: Names of the classes in index order; None for features.
    """

    model: keras.Model
    input_range: tuple[float, float]
    core: keras.Model
    core_range: tuple[float, float]
    head: graph.Head | None
    labels: list[str] | None

    @classmethod
    def of(
        cls,
        model: keras.Model,
        labels: Sequence[str] | None = None,
        input_range: tuple[float, float] | None = None,
    ) -> Network:
        """Prepare a model.

        Args:
            model: Functional or sequential, from one square RGB image of a fixed size
                to one output.
            labels: Names of the classes; None means the WordNet ids for 1000 classes,
                else the numbers.
            input_range: The model's inputs for black and for white; None reads them
                from its graph.

        Raises:
            ValueError: An argument does not fit, or the range is not known.
        """
        flat = graph.flatten(model)
        _check_shape(flat)
        if input_range is None:
            input_range = graph.input_range(flat)
        else:
            _check_range(input_range)
        if input_range is None:
            raise ValueError(
                f"input_range must be given for {model.name!r}, whose graph does not "
                "determine the values of black and of white: such as (0, 255), (0, 1) "
                "or (-1, 1)"
            )
        low, high = map(float, input_range)
        core, core_range = _without_rescaling(flat, (low, high))
        head = graph.head(core)
        names = _class_names(head, labels)
        return cls(model, (low, high), core, core_range, head, names)

    @property
    def side(self) -> int:
        """Side of the input in pixels."""
        return self.core.input_shape[1]

    @property
    def gives_logits(self) -> bool:
        """Whether the classifier gives logits, rather than probabilities.

        Raises:
            ValueError: It has another activation than softmax, such as a sigmoid.
        """
        if self.head is None or self.head.activation not in ("linear", "softmax"):
            activation = None if self.head is None else self.head.activation
            raise ValueError(
                "the activation of the classifier (classifier_activation of build) "
                f"must be 'softmax' or None here, got {activation!r}"
            )
        return self.head.activation == "linear"

    @property
    def zero_weights(self) -> float:
        """Share of the weights that are zero, biases and the like aside."""
        kernels = [w for w in self.core.get_weights() if w.ndim > 1]
        count = sum(kernel.size for kernel in kernels)
        nonzero = sum(int(np.count_nonzero(kernel)) for kernel in kernels)
        return 1 - nonzero / count if count else 0.0

    def on_pixels(self, batch_size: int | None = None) -> keras.Model:
        """The network with pixels from 0 to 255 as its input `image`."""
        inputs = _image(self.core, batch_size)
        low, high = self.core_range
        x = inputs
        if (low, high) != graph.PIXELS:
            x = layers.Rescaling((high - low) / 255, low, name="scale")(x)
        return keras.Model(inputs, self.core(x), name=self.model.name)

    def on_scaled(self) -> keras.Model:
        """The network with one image in `core_range` as its input `image`."""
        inputs = _image(self.core, 1)
        return keras.Model(inputs, self.core(inputs), name=self.model.name)

    def with_logits(self) -> Network:
        """The same network without the softmax of its classifier."""
        last = self.core.output._keras_history.operation
        classifier = self.head and self.head.layer

        def linear(layer):
            config = layer.get_config()
            if isinstance(layer, layers.Softmax):
                return layers.Activation("linear", name=layer.name)
            if layer in (last, classifier) and config.get("activation") == "softmax":
                config["activation"] = "linear"
            return type(layer).from_config(config)

        core = _cloned(self.core, linear)
        return dataclasses.replace(self, core=core, head=graph.head(core))

    def with_split_groups(self) -> Network:
        """The same network with a convolution for each group of a grouped one.

        TensorFlow computes grouped convolutions by XLA, which tf2onnx does not support.
        """

        def split(layer):
            grouped = getattr(layer, "groups", 1) > 1
            kind = SplitConv2D if grouped else type(layer)
            return kind.from_config(layer.get_config())

        return dataclasses.replace(self, core=_cloned(self.core, split))


def _image(core: keras.Model, batch_size: int | None) -> keras.KerasTensor:
    return keras.Input(core.input_shape[1:], batch_size=batch_size, name="image")


def _check_shape(flat):
    shapes = [tensor.shape for tensor in flat.inputs]
    height, width, channels = (*shapes[0], None, None, None)[1:4]
    square = height is not None and height == width and channels == 3
    if len(shapes) != 1 or len(shapes[0]) != 4 or not square:
        raise ValueError(
            "model must take square RGB images of one size, (batch, side, side, 3); "
            f"its inputs have the shapes {shapes}"
        )
    if len(flat.outputs) != 1:
        raise ValueError(f"model must give one output, got {len(flat.outputs)}")


def _check_range(input_range):
    legal = isinstance(input_range, tuple | list) and len(input_range) == 2
    legal = legal and all(
        isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
        for value in input_range
    )
    if not legal or input_range[0] >= input_range[1]:
        raise ValueError(
            "input_range must be None or two numbers, the values of black and of "
            f"white, such as (-1, 1); got {input_range!r}"
        )


def _without_rescaling(flat, value_range):
    """The network without its first Rescaling layers, and its input range then.

    Random augmentation layers among them do nothing in inference and are removed too.
    """
    first = _first_layer(flat, flat.inputs[0])
    if first is None:
        return flat, value_range
    # Keras adds nodes to the layers of a submodel: the user's layers stay untouched.
    flat = _cloned(flat, lambda layer: type(layer).from_config(layer.get_config()))
    first = _first_layer(flat, flat.inputs[0])
    while first is not None:
        layer, tensor = first
        if isinstance(layer, layers.Rescaling):
            low, high = (value * layer.scale + layer.offset for value in value_range)
            value_range = (float(low), float(high))
        first = _first_layer(flat, tensor)
    return keras.Model(tensor, flat.output, name=flat.name), value_range


def _first_layer(flat, tensor):
    """A tensor's only reader and its output, if that layer can be removed."""
    readers = [
        (operation, node.outputs[0])
        for operation in flat.operations
        for node in operation._inbound_nodes
        if any(read is tensor for read in node.input_tensors)
    ]
    if len(readers) != 1:
        return None
    layer = readers[0][0]
    augments = type(layer).__module__.startswith("keras.") and type(
        layer
    ).__name__.startswith("Random")
    rescales = isinstance(layer, layers.Rescaling) and (
        np.ndim(layer.scale) == np.ndim(layer.offset) == 0 and layer.scale > 0
    )
    return readers[0] if augments or rescales else None


def _cloned(core, layer_by_layer):
    clone = keras.models.clone_model(core, clone_function=layer_by_layer)
    clone.set_weights(core.get_weights())
    return clone


def _class_names(head, labels):
    """Names of the classes; None for a network that gives features."""
    if head is None:
        if labels is not None:
            raise ValueError("labels must be None for a network without a classifier")
        return None
    if labels is None:
        whole = head.classes == CLASSES
        return wordnet_ids() if whole else [str(n) for n in range(head.classes)]
    if isinstance(labels, str) or len(labels) != head.classes:
        raise ValueError(
            f"labels must be {head.classes} names, one for each class of the network, "
            f"got {len(labels)}"
        )
    for label in labels:
        if not isinstance(label, str) or len(label.splitlines()) > 1:
            raise ValueError(f"labels must be names of one line each, got {label!r}")
    return list(labels)
