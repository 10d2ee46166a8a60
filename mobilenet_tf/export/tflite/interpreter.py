"""Running LiteRT files: their outputs, and means of tensors inside them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def run(path: str | os.PathLike, pixels: np.ndarray) -> np.ndarray:
    """The outputs of a file for images, one by one, on one thread.

    Args:
        path: A `.tflite` file with an input of one image.
        pixels: `(images, side, side, 3)` from 0 to 255; rounded for a uint8 input.

    Returns:
        `(images, ...)`, dequantised.

    Raises:
        ValueError: LiteRT cannot run the file.
    """
    interpreter = _interpreter(model_path=str(path))
    (output,) = interpreter.get_output_details()
    outputs = []
    for image in pixels:
        _invoke(interpreter, image)
        outputs.append(dequantized(interpreter, output)[0])
    return np.stack(outputs)


def channel_means(
    content: bytes, images: np.ndarray, tensors: Sequence[int]
) -> list[np.ndarray]:
    """The mean per channel of tensors inside a file, over images and positions.

    Args:
        content: The bytes of a file.
        images: As the file takes them, `(images, side, side, 3)`; rounded for a uint8
            input.
        tensors: Indices of the tensors.
    """
    interpreter = keeping_all_tensors(content)
    details = {detail["index"]: detail for detail in interpreter.get_tensor_details()}
    sums = [np.zeros(())] * len(tensors)
    for image in images:
        _invoke(interpreter, image)
        for index, tensor in enumerate(tensors):
            values = dequantized(interpreter, details[tensor])
            sums[index] = sums[index] + values.reshape(-1, values.shape[-1]).mean(0)
    return [total / len(images) for total in sums]


def keeping_all_tensors(content: bytes) -> Interpreter:
    """An interpreter of a file whose tensors inside can be read after a run."""
    with warnings.catch_warnings():
        # The warning says that keeping all tensors is for debugging; it is needed here.
        warnings.simplefilter("ignore")
        return _interpreter(
            model_content=content, experimental_preserve_all_tensors=True
        )


def dequantized(interpreter: Interpreter, details: dict[str, Any]) -> np.ndarray:
    """The values of a tensor after a run.

    Args:
        interpreter: Of a file that has run.
        details: The tensor's, of `interpreter.get_tensor_details`.
    """
    values = interpreter.get_tensor(details["index"])
    scale, zero_point = details["quantization"]
    return (values.astype("float32") - zero_point) * scale if scale else values


def _interpreter(**arguments):
    interpreter = Interpreter(num_threads=1, **arguments)
    try:
        interpreter.allocate_tensors()
    except RuntimeError as error:
        raise ValueError(f"LiteRT cannot run the file: {error}") from error
    return interpreter


def _invoke(interpreter, image):
    (details,) = interpreter.get_input_details()
    if details["dtype"] == np.uint8:
        image = np.clip(np.round(image), 0, 255)
    interpreter.set_tensor(details["index"], image[None].astype(details["dtype"]))
    interpreter.invoke()
