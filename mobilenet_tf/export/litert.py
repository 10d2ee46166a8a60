"""LiteRT (TensorFlow Lite): one file for phones and microcontrollers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from mobilenet_tf import arguments
from mobilenet_tf.data.preprocessing import Preprocessing
from mobilenet_tf.export import int8, parity
from mobilenet_tf.export.interpreter import run
from mobilenet_tf.export.networks import class_labels
from mobilenet_tf.export.proven import images_or_default, publish

# The largest difference of an output; weights in float16 have 11 bits.
TOLERANCES = {None: parity.FLOAT_TOLERANCE, "float16": 1e-2}
QUANTIZATIONS = (*TOLERANCES, "int8")


def litert(
    model: keras.Model,
    path: str | os.PathLike,
    quantization: str | None = None,
    *,
    labels: Sequence[str] | None = None,
    images: Sequence[np.ndarray] | None = None,
    classes: Sequence[int] | None = None,
    representative_images: Sequence[np.ndarray] | None = None,
    min_agreement: float = 0.9,
    float_output: bool = True,
) -> parity.Report:
    """Write a `.tflite` file, and prove it equal to the model.

    The input is `(1, side, side, 3)`, RGB from 0 to 255, scaling inside: uint8 for
    int8, else float32. The output is the model's. int8 has weights per channel, and
    more accuracy than a plain conversion: see `mobilenet_tf.export.int8`.

    Args:
        model: One of our networks.
        path: The file to write, ending in `.tflite`; it must not exist.
        quantization: None for float32, "float16" for weights of half the size, "int8".
        labels: Names of the classes for the model card; None means the WordNet ids for
            1000 classes, else the numbers.
        images: Real images, uint8 `(H, W, 3)` of any sizes, for the proof; None means
            parts of a photograph that comes with matplotlib.
        classes: For int8, the true classes of `images`, for the accuracy of both.
        representative_images: Real images that int8 is calibrated on, some hundred and
            others than `images`; needed for it.
        min_agreement: For int8, the least share of `images` with the same best class.
        float_output: For int8, whether outputs and the inputs of a dense classifier are
            float32, which keeps classes apart; else the file is int8 throughout.

    Returns:
        The parity report.

    Raises:
        ValueError: An argument does not fit, or the file is not equal to the model; no
            file is left.
    """
    arguments.one_of("quantization", quantization, QUANTIZATIONS)
    arguments.number("min_agreement", min_agreement, lambda x: 0 <= x <= 1, "in [0, 1]")
    if Path(path).suffix != ".tflite":
        raise ValueError(f"path must end in .tflite, got {str(path)!r}")
    if quantization == "int8" and not representative_images:
        raise ValueError("representative_images must be given for int8, got none")
    scaled = _scaled(model, images_or_default(images))
    if quantization == "int8":
        calibration = _scaled(model, images_or_default(representative_images))

    def write(partial):
        if quantization == "int8":
            content = int8.quantize(model, calibration, float_output)
        else:
            options = {}
            if quantization == "float16":
                options["optimizations"] = [tf.lite.Optimize.DEFAULT]
                options["target_spec"] = {"supported_types": [tf.float16]}
            content = int8.converted(int8.one_image(model, pixels=True), **options)
        partial.write_bytes(content)

    def prove(partial):
        expected = keras.ops.convert_to_numpy(model(scaled, training=False))
        found = run(partial, (scaled + 1) * 127.5)
        name = f"litert {quantization or 'float32'}"
        if quantization == "int8" and expected.ndim == 2:
            return parity.compare_classes(name, expected, found, min_agreement, classes)
        tolerance = TOLERANCES.get(quantization, np.inf)
        return parity.compare(name, expected, found, tolerance)

    return publish(path, model, class_labels(model, labels), write=write, prove=prove)


def _scaled(model, images):
    side = model.input_shape[1]
    return np.stack([Preprocessing().apply(image, side) for image in images])
