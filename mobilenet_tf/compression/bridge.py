"""The one bridge to the Model Optimization Toolkit, which takes tf_keras models alone.

A network crosses as the text of its architecture and its weights, layer by layer, and
comes back the same way, with equal outputs. Nothing else imports tf_keras or the
toolkit.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import types
from collections.abc import Callable, Collection, Mapping

import keras
import numpy as np
import tensorflow as tf

# The toolkit sets a variable that makes tf.keras, once somebody uses it, the older
# package for the whole process. So tf.keras is used now, and the variable taken back.
_USED = tf.keras.layers
_BEFORE = os.environ.get("TF_USE_LEGACY_KERAS")
import tensorflow_model_optimization as tfmot  # noqa: E402
import tf_keras  # noqa: E402

# Of the toolkit's two functions of this name, the one that can keep zeros.
from tensorflow_model_optimization.python.core.clustering.keras.experimental.cluster import (  # noqa: E402, E501
    cluster_weights,
)

if _BEFORE is None:
    os.environ.pop("TF_USE_LEGACY_KERAS", None)

from mobilenet_tf.compression import architecture  # noqa: E402
from mobilenet_tf.compression.kernels import kernel  # noqa: E402
from mobilenet_tf.training.classifier import compile_for_training  # noqa: E402
from mobilenet_tf.training.cropping import crop_resize  # noqa: E402
from mobilenet_tf.training.recipe import Recipe  # noqa: E402

Weights = dict[str, list[np.ndarray]]


@dataclasses.dataclass
class Toolkit:
    """A `Trainee`: a network that the toolkit has wrapped, trained by tf_keras.

    Args:
        model: The network; it gets the weights in the end.
        source: Side in pixels of the stored images.
        recipe: How to train.
        wrap: Takes the network in tf_keras and the steps of the whole training; gives
            the wrapped one.
        strip: Takes the trained wrapped network; gives the weights of each layer.
        depthwise: Whether depthwise kernels are open to the toolkit.
    """

    model: keras.Model
    source: int
    recipe: Recipe
    wrap: Callable[[tf_keras.Model, int], tf_keras.Model]
    strip: Callable[[tf_keras.Model], Weights]
    depthwise: bool = False

    def compiled(self, side: int | None, steps_per_epoch: int) -> tf_keras.Model:
        body = to_tf_keras(self.model, side, self.recipe, self.depthwise)
        side = body.input_shape[1]
        body = self.wrap(body, self.recipe.epochs * steps_per_epoch)
        body._name = "body"
        images = tf_keras.Input((self.source, 3, self.source), dtype="uint8")
        boxes = tf_keras.Input((4,))
        crops = _Crop(self.source, side)([images, boxes])
        trained = tf_keras.Model([images, boxes], body(crops))
        compile_for_training(trained, self.recipe, steps_per_epoch, tf_keras)
        return trained

    def callbacks(self, on_epoch_end: Callable[[int, dict], None]) -> list:
        # First the toolkit's, which writes the zeros at the end of an epoch.
        return [
            tfmot.sparsity.keras.UpdatePruningStep(),
            tf_keras.callbacks.LambdaCallback(on_epoch_end=on_epoch_end),
        ]

    def finish(self, trained: tf_keras.Model) -> None:
        weights = self.strip(trained.get_layer("body"))
        for layer in self.model.layers:
            if layer.name in weights:
                layer.set_weights(weights[layer.name])


def to_tf_keras(
    model: keras.Model,
    side: int | None = None,
    recipe: Recipe | None = None,
    depthwise: bool = False,
) -> tf_keras.Model:
    """The same network in tf_keras, with equal weights.

    Args:
        model: A flat functional network of stock layers.
        side: Its input side in pixels; None means the model's own.
        recipe: With one, the network is to be trained: the last layer gives logits,
            and batch normalisation and L2 penalty are the recipe's.
        depthwise: Whether the toolkit shall find the kernels of depthwise layers.

    Raises:
        ValueError: A layer is none of those that can cross.
    """
    framework = _framework(model, side, recipe, depthwise)
    text = architecture.describe(model)
    copy, _ = architecture.build(text, framework=framework)
    for layer in model.layers:
        copy.get_layer(layer.name).set_weights(layer.get_weights())
    return copy


def prune(
    names: Collection[str], begin: float, end: float, sparsity: float
) -> tuple[Callable, Callable]:
    """`wrap` and `strip` of magnitude pruning, more and more zeros from begin to end.

    Args:
        names: The layers that are pruned.
        begin: When the first zeros come, as a fraction of the training.
        end: When the sparsity is reached, as a fraction of the training.
        sparsity: Share of zeros in each of the layers.
    """

    def wrap(body, steps):
        first, length = int(begin * steps), max(1, int((end - begin) * steps))
        frequency = max(1, length // 100)
        schedule = tfmot.sparsity.keras.PolynomialDecay(
            initial_sparsity=0.0,
            final_sparsity=sparsity,
            begin_step=first,
            # Reached only in a step in which zeros are chosen.
            end_step=first + length // frequency * frequency,
            frequency=frequency,
        )
        one = functools.partial(
            tfmot.sparsity.keras.prune_low_magnitude, pruning_schedule=schedule
        )
        return _wrapped(body, names, one)

    return wrap, lambda body: _weights(tfmot.sparsity.keras.strip_pruning(body))


def cluster(codebooks: Mapping[str, np.ndarray]) -> tuple[Callable, Callable]:
    """`wrap` and `strip` of weight sharing, which trains the shared values.

    Args:
        codebooks: For each layer the values to begin with. One that is exactly zero
            stays zero, and so do the weights that are.
    """

    def one(layer):
        codebook = codebooks[layer.name]
        return cluster_weights(
            layer, len(codebook), preserve_sparsity=bool((codebook == 0).any())
        )

    def wrap(body, _):
        kernels = {name: kernel(body.get_layer(name)) for name in codebooks}
        wrapped = _wrapped(body, codebooks, one)
        for name, codebook in codebooks.items():
            _begin_with(wrapped.get_layer(f"cluster_{name}"), codebook, kernels[name])
        return wrapped

    return wrap, lambda body: _weights(tfmot.clustering.keras.strip_clustering(body))


def _begin_with(wrapper, codebook, values):
    """Replace the values that the toolkit begins with, which are evenly spaced.

    With them goes its mask of zeros, which holds all weights next to its zero.
    """
    ((name, centroids),) = wrapper.cluster_centroids.items()
    if wrapper.preserve_sparsity:
        place = int(wrapper.zero_idx[name])
        others = codebook[codebook != 0]
        codebook = np.insert(others, min(place, len(others)), 0)
        wrapper.zero_idx[name] = tf.constant(min(place, len(others)), tf.int64)
        wrapper.sparsity_masks[name] = tf.cast(values != 0, tf.float32)
    centroids.assign(codebook)


def quantize(zeros: bool, clusters: bool) -> tuple[Callable, Callable]:
    """`wrap` and `strip` of training with weights and feature maps in 8 bits.

    Args:
        zeros: Whether weights that are zero stay so.
        clusters: Whether weights that are equal stay so.
    """
    combine = tfmot.experimental.combine
    if clusters:
        scheme = combine.Default8BitClusterPreserveQuantizeScheme(zeros)
    elif zeros:
        scheme = combine.Default8BitPrunePreserveQuantizeScheme()
    else:
        scheme = tfmot.quantization.keras.default_8bit.Default8BitQuantizeScheme()

    def wrap(body, _):
        annotated = tfmot.quantization.keras.quantize_annotate_model(body)
        return tfmot.quantization.keras.quantize_apply(annotated, scheme)

    return wrap, _quantized_weights


def _quantized_weights(body) -> Weights:
    """Kernels as whole multiples of a scale per filter; biases and others as they are.

    The bias is a float: it becomes 32 bits wide in a file, which loses nothing.
    """
    weights = {}
    for wrapper in body.layers:
        layer = getattr(wrapper, "layer", None)
        if layer is None:
            continue
        kernels = [_rounded(*parts) for parts in wrapper._weight_vars]
        if not kernels:
            weights[layer.name] = layer.get_weights()
        else:
            biases = [layer.bias.numpy()] if layer.use_bias else []
            weights[layer.name] = kernels + biases
    return {name: arrays for name, arrays in weights.items() if arrays}


def _rounded(kernel, quantizer, ranges) -> np.ndarray:
    """What the layer computes with, as exact products of integers and scales."""
    scales = ranges["max_var"].numpy() / np.float32(127)
    values = quantizer(kernel, False, weights=ranges).numpy()
    return np.rint(values / scales) * scales + np.float32(0)


def _wrapped(body, names, wrap):
    """A copy of a model, the layers of some names wrapped."""
    return tf_keras.models.clone_model(
        body, clone_function=lambda layer: wrap(layer) if layer.name in names else layer
    )


def _weights(body) -> Weights:
    return {layer.name: layer.get_weights() for layer in body.layers if layer.weights}


def _framework(model, side, recipe, depthwise):
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
                settings["activation"] = "linear"
        if depthwise and kind == "DepthwiseConv2D":
            return _OpenDepthwiseConv2D(name=name, **settings)
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


class _Crop(tf_keras.layers.Layer):
    """`crop_resize` under tf_keras; Keras' operations take its tensors."""

    def __init__(self, source, side, **kwargs):
        super().__init__(**kwargs)
        self.source, self.side = source, side

    def call(self, inputs):
        images, boxes = inputs
        # A generator's batches come without their shape.
        images = tf.ensure_shape(images, (None, self.source, 3, self.source))
        return crop_resize(images, tf.ensure_shape(boxes, (None, 4)), self.side)
