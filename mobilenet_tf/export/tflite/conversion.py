"""From a prepared network to the content of a LiteRT file."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mobilenet_tf.export.network import Network
from mobilenet_tf.export.tflite import int8, metadata, rewriting
from mobilenet_tf.export.tflite.converter import converted
from mobilenet_tf.export.tflite.flatbuffer import File


def content(
    network: Network,
    quantization: str | None = None,
    calibration: np.ndarray | None = None,
    *,
    lanes: int = 32,
    float_output: bool = True,
) -> bytes:
    """The bytes of a file, labels and description of the input included.

    Args:
        network: What is converted.
        quantization: None for float32, "float16" or "int8".
        calibration: For int8, and only then, pixels `(images, side, side, 3)` from 0
            to 255.
        lanes: For int8; see `mobilenet_tf.export.tflite.folding`.
        float_output: For int8, whether outputs are float32.
    """
    if quantization == "int8":
        if calibration is None:
            raise ValueError("calibration must be given for int8, got None")
        file = int8.quantize(
            network, calibration, lanes=lanes, float_output=float_output
        )
    else:
        file = float_file(network, half=quantization == "float16")
    return metadata.labelled(file, network.model.name, network.side, network.labels)


def float_file(network: Network, *, half: bool = False) -> File:
    """The float32 file of a network, with weights in float16 where `half` is True."""
    types = [tf.float16] if half else []
    file = File(converted(network.on_pixels(batch_size=1), types=types))
    rewriting.make_reshapes_constant(file)
    return file
