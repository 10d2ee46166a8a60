"""ONNX: one file for the runtimes of other frameworks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from mobilenet_tf.export import verification
from mobilenet_tf.export.images import Examples, resized
from mobilenet_tf.export.network import Network
from mobilenet_tf.export.packages import require
from mobilenet_tf.export.publishing import check_path, publish
from mobilenet_tf.export.verification import Verification

OPSET = 18
_BATCH = 64  # images that are run at once


def onnx(
    model: keras.Model,
    path: str | os.PathLike,
    *,
    input_range: tuple[float, float] | None = None,
    labels: Sequence[str] | None = None,
    images: Sequence[np.ndarray] | None = None,
    classes: Sequence[int] | None = None,
    data: str | None = None,
    tolerance: float = verification.FLOAT_TOLERANCE,
) -> Verification:
    """Write an `.onnx` file, and verify it against the model.

    The input `image` is float32 `(batch, side, side, 3)`, RGB from 0 to 255, scaling
    inside. The output is the model's. The names of the classes stand in the file's
    metadata as `labels`, one a line.

    Args:
        model: A functional or sequential Keras model from square RGB images to classes
            or features; other models inside it are flattened.
        path: The file to write, ending in `.onnx`; neither it nor report and card
            beside it may exist.
        input_range: The values that the model expects of black and of white, such as
            (-1, 1). None reads them from its graph, where that tells.
        labels: Names of the classes in index order; None means the WordNet ids for 1000
            classes, else the numbers.
        images: Real images to verify the file on, uint8 `(H, W, 3)` of any sizes; None
            means 16 crops of one photograph that comes with matplotlib.
        classes: The true classes of `images`, for the accuracy of model and file. The
            images must not be training images then.
        data: What the weights were trained on, for the model card.
        tolerance: The largest difference of an output that is accepted, as a share of
            the largest output, or of 1 where that is smaller.

    Returns:
        What the verification measured.

    Raises:
        ImportError: tf2onnx or onnxruntime is not installed.
        ValueError: An argument does not fit, or the file differs from the model; no
            file is left.
    """
    check_path(path, ".onnx")
    network = Network.of(model, labels, input_range)
    examples = Examples.of(images, classes, network.labels)
    require("tf2onnx", "onnxruntime")
    pixels = resized(examples.images, network.side)
    return publish(
        path,
        network,
        examples,
        format_name="onnx",
        pixels=pixels,
        data=data,
        write=lambda partial: _write(network, partial),
        run=lambda partial: _run(partial, pixels),
        tolerance=tolerance,
    )


def _write(network: Network, path: Path) -> None:
    import onnx as onnx_package

    exported = network.with_split_groups().on_pixels()
    # Keras exports a model that has been called once.
    exported(np.zeros((1, network.side, network.side, 3), "float32"))
    exported.export(str(path), format="onnx", opset_version=OPSET, verbose=False)
    if network.labels is not None:
        content = onnx_package.load(path)
        properties = {"labels": "\n".join(network.labels)}
        onnx_package.helper.set_model_props(content, properties)
        onnx_package.save(content, path)


def _run(path: Path, pixels: np.ndarray) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    batches = np.split(pixels, range(_BATCH, len(pixels), _BATCH))
    return np.concatenate([session.run(None, {"image": b})[0] for b in batches])
