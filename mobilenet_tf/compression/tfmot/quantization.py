"""Training with weights and feature maps rounded to 8 bits.

The toolkit decides which feature maps are quantised; how is decided here. Three things
of its own choice cost accuracy or bytes in a training of few epochs:

1. Its ranges of feature maps begin at [-6, 6] and move by a thousandth per step: after
   300 steps three quarters of them are still the guess. Ours begin with what the first
   batch has.
2. It gives a depthwise kernel one scale, although a LiteRT file has one per channel.
3. It gives each filter of a clustered kernel a scale of its own, which turns a codebook
   of 16 values into 16 per filter. Ours keeps the codebook on one scale.

It also passes over kernels before a ReLU layer; here every kernel is quantised.
"""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from mobilenet_tf.compression import kernels
from mobilenet_tf.compression.tfmot.packages import tf_keras, tfmot
from mobilenet_tf.compression.wrapping import Weights

default_8bit: Any = tfmot.quantization.keras.default_8bit
_LARGEST = 127  # of a weight in units of its scale
_DECAY = 0.999  # of a range's moving average, after some thousand batches


@dataclasses.dataclass(frozen=True)
class Quantization:
    """Wrapping for training in 8 bits.

    Weights that are zero stay zero.

    Args:
        keep_clusters: Whether kernels that share values keep sharing them, on one scale
            per kernel.
    """

    keep_clusters: bool = True
    stock_layers = True  # the toolkit recognises no others

    def wrap(self, body: tf_keras.Model, steps: int) -> tf_keras.Model:
        annotated = tfmot.quantization.keras.quantize_annotate_model(body)
        scheme = _Scheme(self.keep_clusters)
        return tfmot.quantization.keras.quantize_apply(annotated, scheme)

    def strip(self, body: tf_keras.Model) -> Weights:
        """Kernels as whole multiples of their scales; biases and others as they are.

        A bias stays float32: it becomes 32 bits wide in a file, which loses nothing.
        """
        weights = {}
        for wrapper in body.layers:
            layer = getattr(wrapper, "layer", None)
            if layer is None:
                continue
            rounded = [
                quantizer.rounded(kernel.numpy())
                for kernel, quantizer, _ in wrapper._weight_vars
            ]
            if rounded:
                rounded += [layer.bias.numpy()] if layer.use_bias else []
            # The kernel is no weight of its layer any more, but of the wrapper.
            if arrays := rounded or layer.get_weights():
                weights[layer.name] = arrays
        return weights


class _Scheme(default_8bit.Default8BitQuantizeScheme):
    """The toolkit's choice of quantised tensors, with our quantizers."""

    def __init__(self, keep_clusters):
        super().__init__()
        self._keep_clusters = keep_clusters

    def get_layout_transformer(self):
        return _Layout(self._keep_clusters)


class _Layout(default_8bit.Default8BitQuantizeLayoutTransform):
    """Gives every layer a configuration with our quantizers.

    The toolkit's own schemes that keep zeros or shared values pass over depthwise
    kernels, and over those before a ReLU or a concatenation.
    """

    def __init__(self, keep_clusters):
        self._keep_clusters = keep_clusters

    def apply(self, model, layer_quantize_map):
        model, entries = super().apply(model, layer_quantize_map)
        registry = default_8bit.Default8BitQuantizeRegistry()
        kernels_by_name = kernels.by_name(model)
        for layer in model.layers:
            entry = entries.get(layer.name, {})
            if "quantize_config" not in entry:  # an input
                continue
            given = entry["quantize_config"]
            if layer.name not in kernels_by_name:
                config = given or _registered(layer, registry)
                entry["quantize_config"] = _Config(config)
                continue
            # Without a quantizer of its own, the next layer quantises its output.
            output = not given or bool(given.get_activations_and_quantizers(layer))
            values = kernels_by_name[layer.name]
            kernel = _KernelQuantizer(values, layer, self._keep_clusters)
            config = registry.get_quantize_config(layer)
            entry["quantize_config"] = _Config(config, kernel, output)
        return model, entries


def _registered(layer, registry):
    """The toolkit's configuration of a layer without a kernel."""
    if isinstance(layer, tf_keras.layers.Rescaling):
        layer = tf_keras.layers.ReLU()  # of which the output is quantised, no more
    if not registry.supports(layer):
        raise ValueError(
            f"layer {layer.name!r} is a {type(layer).__name__}, which cannot be "
            "quantised where it stands; take it out of the network"
        )
    return registry.get_quantize_config(layer)


class _Config(tfmot.quantization.keras.QuantizeConfig):
    """The toolkit's configuration of a layer, with our quantizers in it.

    Args:
        config: The toolkit's.
        kernel: The quantizer of the layer's kernel, if it has one.
        output: Whether the outputs of a layer with an activation are quantised.
    """

    def __init__(self, config, kernel=None, output=True):
        self._config, self._kernel = copy.copy(config), kernel
        if not output:
            self._config.activation_attrs = []

    def get_weights_and_quantizers(self, layer):
        pairs = self._config.get_weights_and_quantizers(layer)
        return [(weight, self._kernel) for weight, _ in pairs]

    def get_activations_and_quantizers(self, layer):
        pairs = self._config.get_activations_and_quantizers(layer)
        return [(activation, _RangeQuantizer()) for activation, _ in pairs]

    def get_output_quantizers(self, layer):
        return [_RangeQuantizer() for _ in self._config.get_output_quantizers(layer)]

    def set_quantize_weights(self, layer, quantize_weights):
        self._config.set_quantize_weights(layer, quantize_weights)

    def set_quantize_activations(self, layer, quantize_activations):
        self._config.set_quantize_activations(layer, quantize_activations)

    def get_config(self):
        return {}


class _RangeQuantizer(tfmot.quantization.keras.quantizers.MovingAverageQuantizer):
    """A feature map in 8 bits, its range a moving average that begins with the data.

    After n batches the decay of the average is `n / (n + 9)`, at most 0.999.
    """

    def __init__(self):
        super().__init__(8, per_axis=False, symmetric=False, narrow_range=False)

    def build(self, tensor_shape, name, layer):
        batches = layer.add_weight(f"{name}_batches", trainable=False, shape=())
        batches.assign(0)
        ranges = super().build(tensor_shape, name, layer)
        return {**ranges, "batches": batches}

    def __call__(self, inputs, training, weights, **kwargs):
        if training:
            batches = weights["batches"]
            decay = tf.minimum(_DECAY, batches / (batches + 9))
            # A LiteRT file needs zero to be in the range.
            for variable, value in (
                (weights["min_var"], tf.minimum(tf.reduce_min(inputs), 0)),
                (weights["max_var"], tf.maximum(tf.reduce_max(inputs), 0)),
            ):
                variable.assign(decay * variable + (1 - decay) * value)
            batches.assign_add(1)
        return tf.quantization.fake_quant_with_min_max_vars(
            inputs, weights["min_var"], weights["max_var"], num_bits=8
        )


class _KernelQuantizer(tfmot.quantization.keras.quantizers.Quantizer):
    """A kernel as whole multiples, from -127 to 127, of a scale per output channel.

    Weights that were zero stay zero. In a kernel that shares values, all weights of one
    value count as their mean, so that they stay equal and get the mean of their
    gradients, and the whole kernel has one scale.

    Args:
        values: The kernel before the training.
        layer: Its layer.
        keep_clusters: Whether shared values stay shared.
    """

    def __init__(self, values: np.ndarray, layer, keep_clusters: bool):
        self._kept = values != 0
        self._shared = keep_clusters and kernels.shares_values(values)
        _, groups, sizes = np.unique(values, return_inverse=True, return_counts=True)
        self._groups, self._sizes = groups.reshape(values.shape), sizes
        depthwise = isinstance(layer, tf_keras.layers.DepthwiseConv2D)
        rank = values.ndim
        channels = (rank - 2, rank - 1) if depthwise else (rank - 1,)
        axes = range(rank) if self._shared else set(range(rank)) - {*channels}
        self._axes = tuple(axes)

    def build(self, tensor_shape, name, layer):
        return {}  # the range follows from the kernel

    def __call__(self, inputs, training, weights, **kwargs):
        kernel = inputs * tf.constant(self._kept, tf.float32)
        if self._shared:
            # In 64 bits, since a value can have some hundred thousand weights.
            sizes = tf.constant(self._sizes, tf.float64)
            sums = tf.math.unsorted_segment_sum(
                tf.cast(kernel, tf.float64), self._groups, len(self._sizes)
            )
            kernel = tf.cast(tf.gather(sums / sizes, self._groups), tf.float32)
        largest = tf.reduce_max(tf.abs(kernel), self._axes, keepdims=True)
        scales = tf.stop_gradient(largest) / _LARGEST
        rounded = tf.round(tf.math.divide_no_nan(kernel, scales)) * scales
        return kernel + tf.stop_gradient(rounded - kernel)  # straight through

    def rounded(self, kernel: np.ndarray) -> np.ndarray:
        """The layer's quantised kernel, as exact products of integers and scales."""
        kernel = kernel * self._kept
        if self._shared:
            sums = np.bincount(self._groups.ravel(), kernel.ravel().astype("float64"))
            kernel = (sums / self._sizes).astype("float32")[self._groups]
        largest = np.abs(kernel).max(self._axes, keepdims=True)
        scales = largest / np.float32(_LARGEST)
        # The scale of a filter of zeros is zero.
        multiples = np.divide(kernel, scales, np.zeros_like(kernel), where=scales > 0)
        return np.rint(multiples) * scales + np.float32(0)  # no -0.0

    def get_config(self):
        return {}
