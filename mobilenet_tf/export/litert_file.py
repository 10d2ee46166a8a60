"""LiteRT (TensorFlow Lite): one file for phones and microcontrollers."""

from __future__ import annotations

import os
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from mobilenet_tf import arguments
from mobilenet_tf.export import verification
from mobilenet_tf.export.images import images_or_default, scaled
from mobilenet_tf.export.networks import class_labels, gives_logits, on_images, outputs
from mobilenet_tf.export.publishing import check_path, publish
from mobilenet_tf.export.tflite import int8
from mobilenet_tf.export.tflite.flatbuffer import File
from mobilenet_tf.export.tflite.interpreter import require_litert, run
from mobilenet_tf.export.tflite.metadata import labelled

# The largest difference of an output; weights in float16 have 11 bits.
TOLERANCES = {None: verification.FLOAT_TOLERANCE, "float16": 1e-2, "int8": None}


def litert(
    model: keras.Model,
    path: str | os.PathLike,
    quantization: str | None = None,
    *,
    labels: Sequence[str] | None = None,
    images: Sequence[np.ndarray] | None = None,
    classes: Sequence[int] | None = None,
    data: str | None = None,
    representative_images: Sequence[np.ndarray] | None = None,
    min_agreement: float = 0.9,
    float_output: bool = True,
    lanes: int = 32,
) -> verification.Report:
    """Write a `.tflite` file, and prove it equal to the model.

    The input is `(1, side, side, 3)`, RGB from 0 to 255, scaling inside: uint8 for
    int8, else float32. The output is the model's; labels and a description of the input
    are in the file's metadata. int8 has weights per channel, and more accuracy than a
    plain conversion: see `mobilenet_tf.export.tflite.int8`.

    Args:
        model: One of our networks.
        path: The file to write, ending in `.tflite`; neither it nor report and card
            beside it may exist.
        quantization: None for float32, "float16" for weights of half the size, "int8".
        labels: Names of the classes; None means the WordNet ids for 1000 classes, else
            the numbers.
        images: Real images, uint8 `(H, W, 3)` of any sizes, for the proof; None means
            parts of a photograph that comes with matplotlib.
        classes: The true classes of `images`, for the accuracy of model and file.
        data: What the weights were trained on, for the model card.
        representative_images: Real images that int8 is calibrated on, some hundred and
            others than `images`; needed for it.
        min_agreement: For int8, the least share of `images` with the same best class,
            or the least mean cosine of features. Outputs in float32 differ by at most
            1e-4, in float16 by 1e-2 of the largest, or of 1 where that is smaller.
        float_output: For int8, whether outputs and the inputs of a dense classifier are
            float32, which keeps classes apart; else the file is int8 throughout, as
            processors without floats need it.
        lanes: For int8, how many output channels the processor computes at once: 64
            with AVX-512 or AMX, 16 on phones, 1 where mult-adds alone count, as on
            microcontrollers. Narrower layers compute several columns at once, which
            changes no output: see `mobilenet_tf.export.tflite.folding`.

    Returns:
        The parity report.

    Raises:
        ValueError: An argument does not fit, or the file is not equal to the model; no
            file is left.
    """
    arguments.one_of("quantization", quantization, tuple(TOLERANCES))
    arguments.number("min_agreement", min_agreement, lambda x: 0 <= x <= 1, "in [0, 1]")
    arguments.integer("lanes", lanes)
    check_path(path, ".tflite")
    labels = class_labels(model, labels)
    images = images_or_default(images)
    verification.check_classes(classes, images, labels)
    require_litert()
    quantized = quantization == "int8"
    if quantized:
        if representative_images is None or not len(representative_images):
            raise ValueError("representative_images must be given for int8, got none")
        if labels is not None:
            gives_logits(model)  # raises for what is neither logits nor softmax
        found = images_or_default(representative_images, "representative_images")
        calibration = scaled(model, found)
    inputs = scaled(model, images)

    def write(partial):
        if quantized:
            file = int8.quantize(
                model, calibration, lanes=lanes, float_output=float_output
            )
        else:
            options = {}
            if quantization == "float16":
                options["optimizations"] = [tf.lite.Optimize.DEFAULT]
                options["target_spec"] = {"supported_types": [tf.float16]}
            network = on_images(model, batch_size=1, pixels=True)
            file = File(int8.converted(network, **options))
        content = labelled(file, model.name, model.input_shape[1], labels)
        partial.write_bytes(content)

    def prove(partial):
        return verification.compare(
            f"litert {quantization or 'float32'}",
            outputs(model, inputs),
            run(partial, (inputs + 1) * 127.5),
            names_classes=labels is not None,
            tolerance=TOLERANCES[quantization],
            min_agreement=min_agreement if quantized else 0.0,
            classes=classes,
        )

    return publish(path, model, labels, data, write=write, prove=prove)
