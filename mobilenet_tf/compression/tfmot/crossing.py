"""The same network in tf_keras: by the text of its architecture, and layer by layer."""

from __future__ import annotations

import functools
import json
import types

import keras
import tensorflow as tf

from mobilenet_tf.compression.kernels import depthwise_part, parts
from mobilenet_tf.compression.tfmot.packages import tf_keras, tfmot
from mobilenet_tf.models import architecture
from mobilenet_tf.training.accelerated import split_convolution
from mobilenet_tf.training.cropping import crop_resize
from mobilenet_tf.training.recipe import Recipe


def to_tf_keras(
    model: keras.Model,
    side: int | None = None,
    recipe: Recipe | None = None,
    stock: bool = True,
) -> tf_keras.Model:
    """The same network in tf_keras, with equal weights.

    A SeparableConv2D becomes its two parts, as the toolkit quantises it.

    Args:
        model: A flat functional network of stock layers.
        side: Its input side in pixels; None means the model's own.
        recipe: With one, the network is to be trained: the last layer gives logits,
            and batch normalisation and L2 penalty are the recipe's.
        stock: Whether all layers are of tf_keras' own classes. If not, the toolkit
            finds the kernels of depthwise layers, and grouped convolutions are fast.

    Raises:
        ValueError: A layer is none of those that can cross.
    """
    framework = _framework(model, side, recipe, stock)
    name, *entries = json.loads(architecture.describe(model))
    for _, layer, _, settings in entries:
        _check_activation(layer, settings.get("activation"))
    text = json.dumps([name, *(one for entry in entries for one in _split(*entry))])
    copy, _ = architecture.build(text, framework=framework)
    for layer in model.layers:
        for name, arrays in parts(layer).items():
            copy.get_layer(name).set_weights(arrays)
    return copy


def _check_activation(layer, activation):
    # Keras 3 has another formula for the last one.
    known = hasattr(tf_keras.activations, activation or "linear")
    if not known or activation == "hard_sigmoid":
        raise ValueError(
            f"layer {layer!r} has the activation {activation!r}, which tf_keras, and "
            "so the toolkit, does not have as Keras 3 does"
        )


def _split(kind, name, inputs, settings):
    """The entries of an architecture that one of them becomes."""
    if kind != "SeparableConv2D":
        return [[kind, name, inputs, settings]]
    first, last = depthwise_part(name), ("filters", "use_bias", "activation")
    depthwise = {key: settings[key] for key in settings if key not in last}
    pointwise = {key: settings[key] for key in settings if key in last}
    return [
        ["DepthwiseConv2D", first, inputs, depthwise | {"use_bias": False}],
        ["Conv2D", name, [first], pointwise | {"kernel_size": 1}],
    ]


def _framework(model, side, recipe, stock):
    """tf_keras as `architecture.build` takes it: constructors by their Keras names."""

    def construct(kind, *, name, **settings):
        if kind == "InputLayer":
            _, height, width, channels = settings["batch_shape"]
            shape = (None, side or height, side or width, channels)
            settings = {"batch_input_shape": shape}
        if recipe is not None:
            if kind == "BatchNormalization":
                settings["momentum"] = recipe.bn_momentum
            if kind in ("Conv2D", "Dense") and recipe.l2:
                settings["kernel_regularizer"] = tf_keras.regularizers.L2(recipe.l2)
            if name == model.layers[-1].name:
                if kind == "Softmax":
                    kind, settings = "Activation", {}
                if "activation" in architecture.SETTINGS[kind]:
                    settings["activation"] = "linear"
        if not stock and kind == "DepthwiseConv2D":
            return _OpenDepthwiseConv2D(name=name, **settings)
        if not stock and settings.get("groups", 1) > 1:
            return _SplitConv2D(name=name, **settings)
        return getattr(tf_keras.layers, kind)(name=name, **settings)

    layers = {
        kind: functools.partial(construct, kind) for kind in architecture.SETTINGS
    }
    return types.SimpleNamespace(
        layers=types.SimpleNamespace(**layers), Model=tf_keras.Model
    )


class _OpenDepthwiseConv2D(
    tf_keras.layers.DepthwiseConv2D,
    tfmot.sparsity.keras.PrunableLayer,
    tfmot.clustering.keras.ClusterableLayer,
):
    """A depthwise convolution whose kernel the toolkit does not pass over."""

    def get_prunable_weights(self):
        return [self.depthwise_kernel]

    def get_clusterable_weights(self):
        return [("depthwise_kernel", self.depthwise_kernel)]


class _SplitConv2D(
    tf_keras.layers.Conv2D,
    tfmot.sparsity.keras.PrunableLayer,
    tfmot.clustering.keras.ClusterableLayer,
):
    """A grouped convolution, its groups one after the other."""

    def call(self, inputs):
        return split_convolution(self, inputs)

    def get_prunable_weights(self):
        return [self.kernel]

    def get_clusterable_weights(self):
        return [("kernel", self.kernel)]


class Crop(tf_keras.layers.Layer):
    """`crop_resize` under tf_keras; Keras' operations take its tensors."""

    def __init__(self, source, side, **kwargs):
        super().__init__(**kwargs)
        self.source, self.side = source, side

    def call(self, inputs):
        images, boxes = inputs
        # A generator's batches come without their shape.
        images = tf.ensure_shape(images, (None, self.source, 3, self.source))
        return crop_resize(images, tf.ensure_shape(boxes, (None, 4)), self.side)
