"""ONNX: one file for the runtimes of other frameworks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Unpack

import keras
import numpy as np

from mobilenet_tf.export import verification
from mobilenet_tf.export.images import resized
from mobilenet_tf.export.network import Network
from mobilenet_tf.export.options import Options, prepare
from mobilenet_tf.export.publishing import check_path, publish
from mobilenet_tf.export.verification import Verification
from mobilenet_tf.packages import require

OPSET = 18
_BATCH = 64  # images that are run at once


def onnx(
    model: keras.Model,
    path: str | os.PathLike,
    *,
    tolerance: float = verification.FLOAT_TOLERANCE,
    **options: Unpack[Options],
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
        tolerance: The largest difference of an output that is accepted, as a share of
            the largest output, or of 1 where that is smaller.
        **options: See `mobilenet_tf.export.options.Options`: `data` or `images` to
            verify the file on, `classes`, `labels`, `input_range`, `data_description`.

    Returns:
        What the verification measured.

    Raises:
        ImportError: tf2onnx or onnxruntime is not installed.
        TypeError: There is no such further argument.
        ValueError: An argument does not fit, or the file differs from the model; no
            file is left.
    """
    check_path(path, ".onnx")
    prepared = prepare("onnx", model, options)
    network = prepared.network
    require("tf2onnx", "onnxruntime", extra="export")
    pixels = resized(prepared.examples.images, network.side)
    return publish(
        path,
        prepared,
        format_name="onnx",
        pixels=pixels,
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
