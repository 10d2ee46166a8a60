"""LiteRT (TensorFlow Lite): one file for phones and microcontrollers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from mobilenet_tf import arguments
from mobilenet_tf.data.preprocessing import Preprocessing
from mobilenet_tf.export import parity
from mobilenet_tf.export.networks import class_labels
from mobilenet_tf.export.proven import images_or_default, publish

# The largest difference of an output; weights in float16 have 11 bits.
TOLERANCES = {None: parity.FLOAT_TOLERANCE, "float16": 1e-2}


def litert(
    model: keras.Model,
    path: str | os.PathLike,
    quantization: str | None = None,
    *,
    labels: Sequence[str] | None = None,
    images: Sequence[np.ndarray] | None = None,
) -> parity.Report:
    """Write a `.tflite` file, and prove it equal to the model.

    Its input is float32 `(1, side, side, 3)`, RGB from 0 to 255: scaling is inside. Its
    output is the model's.

    Args:
        model: One of our networks.
        path: The file to write, ending in `.tflite`; it must not exist.
        quantization: None for float32, "float16" for weights of half the size.
        labels: Names of the classes for the model card; None means the WordNet ids for
            1000 classes, else the numbers.
        images: Real images, uint8 `(H, W, 3)` of any sizes, for the proof; None means
            parts of a photograph that comes with matplotlib.

    Returns:
        The parity report.

    Raises:
        ValueError: An argument does not fit, or the file is not equal to the model; no
            file is left.
    """
    arguments.one_of("quantization", quantization, TOLERANCES)
    if Path(path).suffix != ".tflite":
        raise ValueError(f"path must end in .tflite, got {str(path)!r}")
    images = images_or_default(images)
    side = model.input_shape[1]
    scaled = np.stack([Preprocessing().apply(image, side) for image in images])

    def write(partial):
        options = {}
        if quantization == "float16":
            import tensorflow as tf

            options["optimizations"] = [tf.lite.Optimize.DEFAULT]
            options["target_spec"] = {"supported_types": [tf.float16]}
        _from_pixels(model).export(partial, format="litert", verbose=False, **options)

    def prove(partial):
        expected = keras.ops.convert_to_numpy(model(scaled, training=False))
        found = run(partial, (scaled + 1) * 127.5)
        name = f"litert {quantization or 'float32'}"
        return parity.compare(name, expected, found, TOLERANCES[quantization])

    return publish(path, model, class_labels(model, labels), write=write, prove=prove)


def run(path: str | os.PathLike, images: np.ndarray) -> np.ndarray:
    """The outputs of a file for a batch, image by image.

    Raises:
        ValueError: The LiteRT interpreter is not installed.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise ValueError(
            "LiteRT files are run by ai-edge-litert; pip install 'mobilenet_tf[export]'"
        ) from error
    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    (inputs,), (outputs,) = (
        interpreter.get_input_details(),
        interpreter.get_output_details(),
    )
    found = []
    for image in images:
        interpreter.set_tensor(inputs["index"], image[None].astype(inputs["dtype"]))
        interpreter.invoke()
        found.append(interpreter.get_tensor(outputs["index"])[0])
    return np.stack(found)


def _from_pixels(model):
    """The model behind its scaling, with a batch of one."""
    side = model.input_shape[1]
    pixels = keras.Input((side, side, 3), batch_size=1, name="image")
    scaled = keras.layers.Rescaling(1 / 127.5, -1, name="scale")(pixels)
    return keras.Model(pixels, model(scaled), name=model.name)
