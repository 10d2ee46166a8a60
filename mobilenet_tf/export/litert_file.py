"""LiteRT (TensorFlow Lite): one file for phones and microcontrollers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Unpack

import keras
import numpy as np

from mobilenet_tf import arguments
from mobilenet_tf.export import verification
from mobilenet_tf.export.images import check_images, resized, split_images
from mobilenet_tf.export.options import Options, Prepared, prepare
from mobilenet_tf.export.publishing import check_path, publish
from mobilenet_tf.export.verification import Verification
from mobilenet_tf.packages import require

# The largest difference of an output; weights in float16 have 11 bits.
TOLERANCES = {None: verification.FLOAT_TOLERANCE, "float16": 1e-2, "int8": None}

CALIBRATION_IMAGES = 200  # of a data set


def litert(
    model: keras.Model,
    path: str | os.PathLike,
    quantization: str | None = None,
    *,
    representative_images: Sequence[np.ndarray] | None = None,
    min_agreement: float = 0.9,
    float_output: bool = True,
    lanes: int = 32,
    **options: Unpack[Options],
) -> Verification:
    """Write a `.tflite` file, and verify it against the model.

    The input is `(1, side, side, 3)`, RGB from 0 to 255, scaling inside: uint8 for
    int8, else float32. The output is the model's; labels and a description of the input
    are in the file's metadata. int8 has weights per channel, and more accuracy than a
    plain conversion: see `mobilenet_tf.export.tflite.int8`.

    int8 makes files a quarter as large. It is not faster on every processor: with
    int8 dot products (VNNI, ARMv8.2 and later) it is, on a Zen 3 without them it takes
    about as long as float32. Measure on the device where speed is what you choose it
    for. The file of a pruned network is as large as that of a dense one: the format
    stores zeros like other weights.

    Args:
        model: A functional or sequential Keras model from square RGB images to classes
            or features; other models inside it are flattened.
        path: The file to write, ending in `.tflite`; neither it nor report and card
            beside it may exist.
        quantization: None for float32, "float16" for weights of half the size, "int8".
        representative_images: Real images that int8 is calibrated on, some hundred and
            others than `images`; needed for it without `data`, of whose training split
            200 images are taken otherwise.
        min_agreement: For int8, the least share of images with the same best class,
            or the least mean cosine of features. Outputs in float32 differ by at most
            1e-4, in float16 by 1e-2 of the largest, or of 1 where that is smaller.
        float_output: For int8, whether outputs and the inputs of the classifier are
            float32, which keeps classes apart; else the file is int8 throughout, as
            processors without floats need it.
        lanes: For int8, how many output channels the processor computes at once: 64
            with AVX-512 or AMX, 16 on phones, 1 where mult-adds alone count, as on
            microcontrollers. Narrower layers compute several columns at once, which
            changes no output: see `mobilenet_tf.export.tflite.folding`.
        **options: See `mobilenet_tf.export.options.Options`: `data` or `images` to
            verify the file on, `classes`, `labels`, `input_range`, `data_description`.

    Returns:
        What the verification measured.

    Raises:
        ImportError: ai-edge-litert is not installed.
        TypeError: There is no such further argument.
        ValueError: An argument does not fit, or the file differs from the model; no
            file is left.
    """
    arguments.one_of("quantization", quantization, tuple(TOLERANCES))
    arguments.number("min_agreement", min_agreement, lambda x: 0 <= x <= 1, "in [0, 1]")
    arguments.integer("lanes", lanes)
    check_path(path, ".tflite")
    prepared = prepare("litert", model, options)
    network = prepared.network
    calibration = None
    if quantization == "int8":
        calibration = calibration_pixels(prepared, representative_images)
    require("ai_edge_litert", extra="export")
    from mobilenet_tf.export import tflite

    pixels = resized(prepared.examples.images, network.side)
    return publish(
        path,
        prepared,
        format_name=f"litert {quantization or 'float32'}",
        pixels=pixels,
        write=lambda partial: partial.write_bytes(
            tflite.content(
                network,
                quantization,
                calibration,
                lanes=lanes,
                float_output=float_output,
            )
        ),
        run=lambda partial: tflite.run(partial, pixels),
        tolerance=TOLERANCES[quantization],
        min_agreement=min_agreement if quantization == "int8" else 0.0,
    )


def calibration_pixels(
    prepared: Prepared, images: Sequence[np.ndarray] | None
) -> np.ndarray:
    """Pixels that determine the ranges of int8, `(images, side, side, 3)`.

    Args:
        prepared: What is exported.
        images: As the caller gave them; None means those of the data set.

    Raises:
        ValueError: There are neither, or the classifier cannot be quantised.
    """
    network, data = prepared.network, prepared.data
    if images is None and data is not None:
        images, _ = split_images(data.train, CALIBRATION_IMAGES)
    if images is None or not len(images):
        raise ValueError(
            "data or representative_images must be given for int8, got neither"
        )
    if network.head is not None:
        _ = network.gives_logits  # raises for what is neither logits nor softmax
    return resized(check_images(images, "representative_images"), network.side)
