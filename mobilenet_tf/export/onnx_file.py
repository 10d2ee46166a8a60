"""ONNX: one file for the runtimes of other frameworks."""

from __future__ import annotations

import os
from collections.abc import Sequence

import keras
import numpy as np

from mobilenet_tf.export import verification
from mobilenet_tf.export.images import images_or_default, scaled
from mobilenet_tf.export.networks import (
    class_labels,
    in_batches,
    on_images,
    outputs,
    with_split_groups,
)
from mobilenet_tf.export.publishing import check_path, publish

OPSET = 18


def onnx(
    model: keras.Model,
    path: str | os.PathLike,
    *,
    labels: Sequence[str] | None = None,
    images: Sequence[np.ndarray] | None = None,
    classes: Sequence[int] | None = None,
    data: str | None = None,
    tolerance: float = verification.FLOAT_TOLERANCE,
) -> verification.Report:
    """Write an `.onnx` file, and prove it equal to the model.

    The input `image` is float32 `(batch, side, side, 3)`, RGB from 0 to 255, scaling
    inside. The output is the model's. The names of the classes stand in the file's
    metadata as `labels`, one a line.

    Args:
        model: One of our networks.
        path: The file to write, ending in `.onnx`; it must not exist.
        labels: Names of the classes; None means the WordNet ids for 1000 classes, else
            the numbers.
        images: Real images, uint8 `(H, W, 3)` of any sizes, for the proof; None means
            parts of a photograph that comes with matplotlib.
        classes: The true classes of `images`, for the accuracy of model and file.
        data: What the weights were trained on, for the model card.
        tolerance: The largest difference of an output that is accepted, as a share of
            the largest output, or of 1 where that is smaller.

    Returns:
        The parity report.

    Raises:
        ValueError: An argument does not fit, tf2onnx or onnxruntime is not installed,
            or the file is not equal to the model; no file is left.
    """
    check_path(path, ".onnx")
    labels = class_labels(model, labels)
    images = images_or_default(images)
    verification.check_classes(classes, images, labels)
    _require_packages()
    inputs = scaled(model, images)

    def prove(partial):
        return verification.compare(
            "onnx",
            outputs(model, inputs),
            _run(partial, (inputs + 1) * 127.5),
            names_classes=labels is not None,
            tolerance=tolerance,
            classes=classes,
        )

    def write(partial):
        _write(model, partial, labels)

    return publish(path, model, labels, data, write=write, prove=prove)


def _require_packages():
    try:
        import onnxruntime  # noqa: F401
        import tf2onnx  # noqa: F401
    except ImportError as error:
        raise ValueError(
            "ONNX files are written by tf2onnx and run by onnxruntime; "
            "pip install 'mobilenet_tf[export]'"
        ) from error


def _write(model, path, labels):
    import onnx as format_of_files

    network = on_images(with_split_groups(model), pixels=True)
    network(np.zeros((1, *model.input_shape[1:]), "float32"))  # Keras wants one call
    network.export(str(path), format="onnx", opset_version=OPSET, verbose=False)
    if labels is not None:
        file = format_of_files.load(path)
        format_of_files.helper.set_model_props(file, {"labels": "\n".join(labels)})
        format_of_files.save(file, path)


def _run(path, pixels):
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (inputs,) = session.get_inputs()
    pixels = pixels.astype("float32")
    return in_batches(lambda some: session.run(None, {inputs.name: some})[0], pixels)
