"""A program that runs a network on an image, in a process of its own.

    python self_test_process.py NETWORK IMAGE

It prints as JSON the index of the best class and the side of the images that suit the
network, or what is wrong. A LiteRT file needs NumPy, Pillow and LiteRT only: of this
package nothing is imported, so that it starts at once.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def scores_of_litert(network: Path, image: Image.Image) -> tuple[np.ndarray, int]:
    """Scores of the classes from a LiteRT file that takes pixels; its input's side."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(network), num_threads=1)
    interpreter.allocate_tensors()
    (taken,), (given,) = (
        interpreter.get_input_details(),
        interpreter.get_output_details(),
    )
    _, height, width, channels = taken["shape"]
    if channels != 3:
        raise ValueError(f"the input must have three channels, got {taken['shape']}")
    pixels = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    if taken["dtype"] == np.int8:  # as files for microcontrollers take them
        pixels = pixels.astype("int16") - 128
    interpreter.set_tensor(taken["index"], pixels[None].astype(taken["dtype"]))
    interpreter.invoke()
    values = interpreter.get_tensor(given["index"])[0].astype("float32").ravel()
    scale, zero_point = given["quantization"]
    return (values - zero_point) * scale if scale else values, int(height)


def scores_of_keras(network: Path, image: Image.Image) -> tuple[np.ndarray, int]:
    """Probabilities of the classes from a `.keras` file; the side before its crop."""
    import mobilenet_tf
    from mobilenet_tf.data.storage import CENTRAL_FRACTION

    model = mobilenet_tf.load_model(network)
    numbers = [str(index) for index in range(model.output_shape[-1])]
    (prediction,) = mobilenet_tf.predict(model, image, class_names=numbers)
    scores = np.empty(len(numbers), "float32")
    scores[[int(name) for name in prediction.class_names]] = prediction.probabilities
    return scores, math.ceil(model.input_shape[1] / CENTRAL_FRACTION)


def main(network: Path, photograph: Path) -> dict[str, Any]:
    """Run the network; gives what is printed."""
    with Image.open(photograph) as file:
        image = file.convert("RGB")
    run = scores_of_keras if network.suffix == ".keras" else scores_of_litert
    try:
        scores, side = run(network, image)
    except ImportError as error:
        return {"missing": error.name or str(error)}
    except Exception as error:  # a damaged file can make interpreters raise anything
        return {"error": f"{type(error).__name__}: {error}"}
    if not np.isfinite(scores).all():
        return {"error": "its scores are no numbers"}
    return {"best": int(np.argmax(scores)), "side": side}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
