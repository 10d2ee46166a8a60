"""Training with weights and feature maps in 8 bits."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from mobilenet_tf.compression import kernels
from mobilenet_tf.compression.tfmot.packages import tfmot
from mobilenet_tf.compression.tfmot.wrappers import Weights

default_8bit = tfmot.quantization.keras.default_8bit


def quantize() -> tuple[Callable, Callable]:
    """`wrap` and `strip` of training with weights and feature maps in 8 bits.

    Weights that are zero stay so, and so do those that are equal and have one scale.
    """

    def wrap(body, _):
        annotated = tfmot.quantization.keras.quantize_annotate_model(body)
        return tfmot.quantization.keras.quantize_apply(annotated, _Scheme())

    return wrap, _quantized_weights


class _Scheme(default_8bit.Default8BitQuantizeScheme):
    """The toolkit's scheme, with our choice of how each kernel is quantised."""

    def get_layout_transformer(self):
        return _Layout()


class _Layout(default_8bit.Default8BitQuantizeLayoutTransform):
    """Every kernel is quantised, also before a ReLU, where the toolkit omits it.

    The toolkit's own schemes that keep zeros or shared values pass over depthwise
    kernels, and over those before a ReLU or a concatenation.
    """

    def apply(self, model, layer_quantize_map):
        model, chosen = super().apply(model, layer_quantize_map)
        registry = default_8bit.Default8BitQuantizeRegistry()
        found = kernels.by_name(model)
        for layer in model.layers:
            entry = chosen.get(layer.name, {})
            if layer.name in found:
                given, values = entry["quantize_config"], found[layer.name]
                entry["quantize_config"] = _config(layer, values, given, registry)
            elif entry == {"quantize_config": None} and not registry.supports(layer):
                raise ValueError(
                    f"layer {layer.name!r} is a {type(layer).__name__}, which cannot "
                    "be quantised where it stands; take it out of the network"
                )
        return model, chosen


def _config(layer, values, given, registry):
    """How a layer with a kernel is quantised.

    Args:
        layer: The layer.
        values: Its kernel.
        given: What the toolkit chose, or None, which leaves it to the registry.
        registry: The toolkit's, by type of layer.
    """
    config = copy.copy(registry.get_quantize_config(layer))
    if given is not None and not given.get_activations_and_quantizers(layer):
        config.activation_attrs = []  # what comes next quantises the feature map
    config.weight_quantizer = _Keeping(config.weight_quantizer, values)
    return config


class _Keeping:
    """A quantizer of the toolkit, after which zeros are zero and equal weights equal.

    Every weight counts as the mean of those that it was equal to, so that they get the
    same gradient: the mean of theirs. Filters with scales of their own round it anew.

    Args:
        quantizer: The toolkit's.
        values: The kernel before the training: which weights are zero, which equal.
    """

    def __init__(self, quantizer, values: np.ndarray):
        self.build, self._quantizer = quantizer.build, quantizer
        self._kept = tf.constant(values != 0, tf.float32)
        _, groups, sizes = np.unique(values, return_inverse=True, return_counts=True)
        groups = groups.reshape(values.shape)
        self._shared = (sizes[groups][values != 0] > 1).any()
        self._groups = tf.constant(groups, tf.int32)
        self._sizes = tf.constant(sizes, tf.float64)

    def __call__(self, inputs, training, weights, **kwargs):
        if self._shared:
            # In 64 bits, since the weights of a large kernel have few values.
            inputs = tf.cast(inputs, tf.float64)
            sums = tf.math.unsorted_segment_sum(inputs, self._groups, len(self._sizes))
            means = tf.gather(sums / self._sizes, self._groups)
            inputs = tf.cast(means, tf.float32)
        return self._quantizer(inputs * self._kept, training, weights=weights, **kwargs)


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
    # The scale of a filter of zeros is zero.
    multiples = np.divide(values, scales, np.zeros_like(values), where=scales > 0)
    return np.rint(multiples) * scales + np.float32(0)
