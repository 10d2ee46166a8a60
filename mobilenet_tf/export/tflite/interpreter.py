"""Running LiteRT files: their outputs, and what their layers give on average."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence

import numpy as np


def run(path: str | os.PathLike, pixels: np.ndarray) -> np.ndarray:
    """The outputs of a file for images, one by one, on one thread.

    Args:
        path: A `.tflite` file with an input of one image.
        pixels: `(images, side, side, 3)` from 0 to 255; rounded for a uint8 input.

    Returns:
        `(images, ...)`, dequantised.

    Raises:
        ValueError: The LiteRT interpreter is not installed.
    """
    interpreter = _interpreter(model_path=str(path))
    (inputs,) = interpreter.get_input_details()
    (outputs,) = interpreter.get_output_details()
    found = []
    for image in pixels:
        if inputs["dtype"] == np.uint8:
            image = np.clip(np.round(image), 0, 255)
        interpreter.set_tensor(inputs["index"], image[None].astype(inputs["dtype"]))
        interpreter.invoke()
        found.append(_dequantized(interpreter, outputs)[0])
    return np.stack(found)


def means(
    content: bytes, images: np.ndarray, tensors: Sequence[int]
) -> list[np.ndarray]:
    """The mean per channel of tensors inside a file, over images and positions.

    Args:
        content: A file with a float32 input in [-1, 1], or a uint8 input of pixels.
        images: `(images, side, side, 3)` in [-1, 1].
        tensors: Indices of the tensors.
    """
    with warnings.catch_warnings():
        # It is meant for debugging because it keeps all tensors; that is the point.
        warnings.simplefilter("ignore")
        interpreter = _interpreter(
            model_content=content, experimental_preserve_all_tensors=True
        )
    (inputs,) = interpreter.get_input_details()
    details = {detail["index"]: detail for detail in interpreter.get_tensor_details()}
    sums = [0.0] * len(tensors)
    for image in images:
        if inputs["dtype"] == np.uint8:
            image = np.clip(np.round((image + 1) * 127.5), 0, 255)
        interpreter.set_tensor(inputs["index"], image[None].astype(inputs["dtype"]))
        interpreter.invoke()
        for place, tensor in enumerate(tensors):
            values = _dequantized(interpreter, details[tensor])
            sums[place] += values.reshape(-1, values.shape[-1]).mean(0)
    return [total / len(images) for total in sums]


def require_litert():
    """The interpreter's class.

    Raises:
        ValueError: It is not installed.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise ValueError(
            "LiteRT files are run by ai-edge-litert; pip install 'mobilenet_tf[export]'"
        ) from error
    return Interpreter


def _interpreter(**arguments):
    Interpreter = require_litert()  # noqa: N806
    interpreter = Interpreter(num_threads=1, **arguments)
    try:
        interpreter.allocate_tensors()
    except RuntimeError as error:
        raise ValueError(f"LiteRT cannot run the file: {error}") from error
    return interpreter


def _dequantized(interpreter, details):
    values = interpreter.get_tensor(details["index"])
    scale, zero_point = details["quantization"]
    return (values.astype("float32") - zero_point) * scale if scale else values
