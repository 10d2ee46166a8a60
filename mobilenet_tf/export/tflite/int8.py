"""Post-training int8 quantisation, more accurate than the converter's.

A plain conversion loses top-1 agreement for three reasons, each corrected in the file:

1. The scale of a channel is its largest weight over 127, whatever the other weights.
   Here each channel takes the scale, among `largest / n`, with the least squared error.
   Weights that are quantised already are reproduced exactly.
2. Rounding shifts the mean of a layer's output. Layer by layer, the shift measured on
   calibration images is subtracted from the bias (Nagel et al., arXiv 1906.04721,
   section 4.2).
3. With many classes, logits in int8 tie. The last layer, a dense classifier with int8
   weights or SqueezeNet's average, computes from float32 to float32, and softmax
   follows it.

Cross-layer equalisation (section 4.1 there) is not needed: weights have a scale per
channel. `benchmarks.int8_accuracy` measures each step.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mobilenet_tf.export.images import scaled
from mobilenet_tf.export.network import Network
from mobilenet_tf.export.tflite import folding, rewriting
from mobilenet_tf.export.tflite.converter import converted, converted_to_int8
from mobilenet_tf.export.tflite.flatbuffer import File
from mobilenet_tf.export.tflite.interpreter import channel_means
from mobilenet_tf.export.tflite.walk import Walk

MAXIMUM = 127
CORRECTION_IMAGES = 32
# Smaller divisors clip nothing and waste range, larger ones clip the largest weights.
_DIVISORS = np.arange(48, 192)


def quantize(
    network: Network,
    calibration: np.ndarray,
    *,
    lanes: int,
    float_output: bool,
    fit_scales: bool = True,
    correct_biases: bool = True,
) -> File:
    """The int8 file of a network, with uint8 pixels as its input.

    Args:
        network: What is quantised.
        calibration: Pixels `(images, side, side, 3)` from 0 to 255.
        lanes: See `mobilenet_tf.export.tflite.folding`.
        float_output: Whether outputs are float32, as the classifier is then.
        fit_scales: Whether scales are fitted, step 1 above.
        correct_biases: Whether biases are corrected, step 2 above.
    """
    float_head = float_output and network.head is not None
    softmax = float_head and not network.gives_logits
    scores = (network.with_logits() if softmax else network).on_scaled()
    inputs = scaled(calibration, network.core_range)
    reference = File(converted(scores))
    output_type = tf.float32 if float_output else tf.uint8
    file = File(converted_to_int8(scores, inputs, network.core_range, output_type))
    rewriting.make_reshapes_constant(file)
    pairs = list(zip(reference.layers(), file.layers(), strict=True))
    if fit_scales:
        for original, layer in pairs:
            _fit_scales(original, layer)
    if correct_biases:
        count = CORRECTION_IMAGES
        _correct_biases(reference, file, pairs, inputs[:count], calibration[:count])
    if float_head and rewriting.make_head_float(file):
        original, layer = pairs[-1]
        file.set_values(layer.bias_index, original.bias)
    if softmax:
        rewriting.append_softmax(file)
    if float_output:
        rewriting.quantize_through_float(file)
    folding.fold_columns(file, lanes)
    return file


def best_scales(weights: np.ndarray) -> np.ndarray:
    """Scale per channel of int8 weights, by least squares over `largest / n`.

    Args:
        weights: float32 `(channels, ...)`.

    Returns:
        float32 `(channels,)`.
    """
    flat = weights.reshape(len(weights), -1).astype("float64")
    largest = np.abs(flat).max(1)
    largest[largest == 0] = 1.0
    best, scales = np.full(len(flat), np.inf), np.empty(len(flat))
    for divisor in _DIVISORS:
        candidates = largest / divisor
        error = ((rounded(flat, candidates) * candidates[:, None] - flat) ** 2).sum(1)
        better = error < best
        best[better], scales[better] = error[better], candidates[better]
    return scales.astype("float32")


def rounded(weights: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Weights in units of their channel's scale, from -127 to 127."""
    shape = (-1, *[1] * (weights.ndim - 1))
    return np.clip(np.round(weights / scales.reshape(shape)), -MAXIMUM, MAXIMUM)


def _fit_scales(original, layer):
    scales = best_scales(original.weights)
    # A channel that is nearly dead has a tiny scale, in which its bias would overflow.
    least = np.abs(original.bias) / (layer.input_scale * 2.0**30)
    scales = np.maximum(scales, least).astype("float32")
    dead = ~original.weights.reshape(len(scales), -1).any(1)
    scales[dead] = layer.weight_scales[dead]
    layer.set_weights(rounded(original.weights, scales).astype("int8"), scales)
    layer.set_bias(original.bias, scales)


def _correct_biases(reference, file, pairs, inputs, pixels):
    """Correct layer by layer, since each correction changes the next layer's input.

    Args:
        reference: The float32 file.
        file: The int8 file, whose biases change.
        pairs: Their layers.
        inputs: Images as the float32 file takes them.
        pixels: The same images as the int8 file takes them.
    """
    outputs = [original.output for original, _ in pairs]
    expected = channel_means(reference.content(), inputs, outputs)
    walk = Walk(file, pixels)
    for (_, layer), mean in zip(pairs, expected, strict=True):
        layer.add_to_bias(mean - walk.channel_means(layer))
