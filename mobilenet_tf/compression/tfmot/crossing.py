"""The same network in tf_keras: by its architecture, and layer by layer."""

from __future__ import annotations

import dataclasses
import functools
import types
from typing import Any

import keras
import tensorflow as tf

from mobilenet_tf.compression.kernels import depthwise_part, parts
from mobilenet_tf.compression.tfmot.packages import tf_keras, tfmot
from mobilenet_tf.models import architecture, graph
from mobilenet_tf.models.architecture import LayerSpec
from mobilenet_tf.models.layer_schema import SETTINGS
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

    A SeparableConv2D becomes its two parts, which the toolkit quantises each.

    Args:
        model: A flat functional network of stock layers.
        side: Its input side in pixels; None means the model's own.
        recipe: With one, the network is to be trained: the last layer gives logits,
            and batch normalisation and L2 penalty are the recipe's.
        stock: Whether all layers are of tf_keras' own classes. If not, the toolkit
            finds the kernels of depthwise layers, and grouped convolutions are fast.

    Raises:
        ValueError: tf_keras has no such layer or activation.
    """
    framework = _framework(model, side, recipe, stock)
    network = architecture.describe(model)
    for spec in network.layers:
        _check_activation(spec.name, spec.settings.get("activation", "linear"))
    specs = tuple(part for spec in network.layers for part in _split(spec))
    copy = architecture.build(
        dataclasses.replace(network, layers=specs), framework=framework
    )
    for layer in model.layers:
        for name, arrays in parts(layer).items():
            copy.get_layer(name).set_weights(arrays)
    return copy


def _check_activation(layer, activation):
    # Keras 3 has another formula for hard_sigmoid.
    known = hasattr(tf_keras.activations, activation)
    if not known or activation == "hard_sigmoid":
        raise ValueError(
            f"layer {layer!r} has the activation {activation!r}, which tf_keras, and "
            "so the toolkit, does not have as Keras 3 does"
        )


def _split(spec):
    """The layers that one layer becomes: of a separable convolution two."""
    if spec.kind != "SeparableConv2D":
        return [spec]
    depthwise = {
        key: spec.settings[key]
        for key in SETTINGS["DepthwiseConv2D"]
        if key not in ("use_bias", "activation")
    }
    depthwise |= {"use_bias": False, "activation": "linear"}
    pointwise = {
        "filters": spec.settings["filters"],
        "groups": 1,
        "kernel_size": [1, 1],
        "strides": [1, 1],
        "padding": "valid",
        "dilation_rate": [1, 1],
        "use_bias": spec.settings["use_bias"],
        "activation": spec.settings["activation"],
    }
    first = depthwise_part(spec.name)
    return [
        LayerSpec("DepthwiseConv2D", first, spec.inputs, depthwise),
        LayerSpec("Conv2D", spec.name, (first,), pointwise),
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
                    kind, settings = "Activation", {"activation": "linear"}
                if "activation" in settings:
                    settings["activation"] = "linear"
        if not stock and kind == "DepthwiseConv2D":
            return _OpenDepthwiseConv2D(name=name, **settings)
        if not stock and settings.get("groups", 1) > 1:
            return _SplitConv2D(name=name, **settings)
        return getattr(tf_keras.layers, kind)(name=name, **settings)

    layers = {kind: functools.partial(construct, kind) for kind in SETTINGS}
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

    def call(self, inputs: Any) -> Any:
        return split_convolution(self, inputs)

    def get_prunable_weights(self):
        return [self.kernel]

    def get_clusterable_weights(self):
        return [("kernel", self.kernel)]


class Crop(tf_keras.layers.Layer):
    """`crop_resize` under tf_keras, in the values that a network expects.

    Args:
        source: Side in pixels of the stored images.
        side: Side in pixels of the crops.
        input_range: What the network expects of black and of white.
    """

    def __init__(
        self,
        source: int,
        side: int,
        input_range: tuple[float, float] = graph.SYMMETRIC,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.source, self.side, self.input_range = source, side, input_range

    def call(self, inputs: Any) -> Any:
        images, boxes = inputs
        # A generator's batches come without their shape.
        images = tf.ensure_shape(images, (None, self.source, 3, self.source))
        boxes = tf.ensure_shape(boxes, (None, 4))
        return crop_resize(images, boxes, self.side, self.input_range)
