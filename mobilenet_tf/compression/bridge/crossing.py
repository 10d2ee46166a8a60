"""The same network in tf_keras: by the text of its architecture, and layer by layer."""

from __future__ import annotations

import functools
import json
import types

import keras
import numpy as np
import tensorflow as tf

from mobilenet_tf.compression import architecture
from mobilenet_tf.compression.bridge.packages import tf_keras, tfmot
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

    A SeparableConv2D becomes two layers, as the toolkit quantises it: a depthwise one,
    `{name}_depthwise`, and a 1x1 convolution of its own name.

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
    text = json.dumps([name, *(one for entry in entries for one in _split(*entry))])
    copy, _ = architecture.build(text, framework=framework)
    for layer in model.layers:
        for name, arrays in split_weights(layer).items():
            copy.get_layer(name).set_weights(arrays)
    return copy


def split_weights(layer: keras.layers.Layer) -> dict[str, list[np.ndarray]]:
    """The weights of a layer, in order, by the names of the layers that it becomes."""
    arrays = layer.get_weights()
    if isinstance(layer, keras.layers.SeparableConv2D):
        return {_depthwise(layer.name): arrays[:1], layer.name: arrays[1:]}
    return {layer.name: arrays}


def _split(kind, name, inputs, settings):
    """The entries of an architecture that one of them becomes."""
    if kind != "SeparableConv2D":
        return [[kind, name, inputs, settings]]
    last = ("filters", "use_bias", "activation")
    depthwise = {key: settings[key] for key in settings if key not in last}
    pointwise = {key: settings[key] for key in settings if key in last}
    return [
        ["DepthwiseConv2D", _depthwise(name), inputs, depthwise | {"use_bias": False}],
        ["Conv2D", name, [_depthwise(name)], pointwise | {"kernel_size": 1}],
    ]


def _depthwise(name):
    return f"{name}_depthwise"


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
