"""Post-training int8 quantisation that keeps more of a network than converting does.

A plain conversion loses top-1 agreement in three places. Each is mended in the file:

1. The scale of a channel is its largest weight over 127, however the other weights lie.
   Here each channel takes the scale, among `largest / n`, with the least squared error.
   Weights that were quantised before are found again exactly.
2. Rounding shifts the mean of a layer's output. Layer by layer, what the mean over
   calibration images is off goes into the bias (Nagel et al., arXiv 1906.04721,
   section 4.2).
3. With many classes one int8 step of the logits makes ties. The last layer, a dense
   classifier with int8 weights or SqueezeNet's average, takes and gives float32, and
   softmax comes after it.

Equalising channels across layers (section 4.1 there) is left out: a scale per channel
of the weights does what it is for. `benchmarks.int8_accuracy` measures each step.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from mobilenet_tf.export.networks import (
    gives_logits,
    has_classifier,
    on_images,
    with_logits,
)
from mobilenet_tf.export.tflite import folding, rewriting
from mobilenet_tf.export.tflite.flatbuffer import File
from mobilenet_tf.export.tflite.interpreter import means

MAXIMUM = 127
CORRECTION_IMAGES = 32  # one pass over them for each layer
# Smaller divisors clip nothing and waste range, larger ones clip the largest weights.
_DIVISORS = np.arange(48, 192)


def quantize(
    model: keras.Model,
    calibration: np.ndarray,
    *,
    lanes: int,
    float_output: bool,
    fit_scales: bool = True,
    correct_biases: bool = True,
) -> File:
    """The int8 file of a model.

    Args:
        model: One of our networks.
        calibration: Images as the model takes them, `(images, side, side, 3)`.
        lanes: See `mobilenet_tf.export.tflite.folding`.
        float_output: Whether outputs are float32, as a dense classifier is then.
        fit_scales: Whether the first of the three is done.
        correct_biases: Whether the second is.

    Returns:
        A file with uint8 input: raw pixels.
    """
    keeps_classes_apart = float_output and has_classifier(model)
    softmax = keeps_classes_apart and not gives_logits(model)
    network = on_images(with_logits(model) if softmax else model, batch_size=1)
    reference = File(converted(network))
    output_type = tf.float32 if float_output else tf.uint8
    file = File(full_int8(network, calibration, output_type))
    pairs = list(zip(reference.layers(), file.layers(), strict=True))
    if fit_scales:
        for original, layer in pairs:
            _fit_scales(original, layer)
    if correct_biases:
        _correct_biases(reference, file, pairs, calibration[:CORRECTION_IMAGES])
    if keeps_classes_apart:
        rewriting.dequantize_before_last(file)
        original, layer = pairs[-1]
        if isinstance(model.layers[-1], keras.layers.Dense):
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


def _correct_biases(reference, file, pairs, images):
    """Layer by layer, since each correction changes what the next layer gets."""
    outputs = [original.output for original, _ in pairs]
    expected = means(reference.content(), images, outputs)
    for (_, layer), mean in zip(pairs, expected, strict=True):
        (found,) = means(file.content(), images, [layer.output])
        layer.add_to_bias(mean - found)


def full_int8(
    model: keras.Model, calibration: np.ndarray, output_type: tf.DType
) -> bytes:
    """A plain conversion of a model with a batch of one: raw pixels in, all int8."""
    # Black and white pixels make the input's scale that of raw pixels.
    calibration = calibration.copy()
    calibration[0, 0, 0], calibration[0, 0, 1] = -1.0, 1.0
    return converted(
        model,
        optimizations=[tf.lite.Optimize.DEFAULT],
        representative_dataset=lambda: ([image[None]] for image in calibration),
        target_spec={"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]},
        inference_input_type=tf.uint8,
        inference_output_type=output_type,
    )


def converted(model: keras.Model, **options) -> bytes:
    """The LiteRT file of a model with a batch of one, by Keras' own converter."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        model.export(path, format="litert", verbose=False, **options)
        return path.read_bytes()
