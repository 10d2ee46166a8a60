"""Reading weights files of Keras 2 and 3, layer by layer."""

from __future__ import annotations

import io
import json
import re
from os import PathLike

import h5py
import numpy as np

from mobilenet_tf.files import archive

# What h5py raises for a file that is damaged or laid out otherwise.
UNREADABLE = (
    *(OSError, LookupError, RuntimeError, TypeError, ValueError, AttributeError),
)


def read(path: str | PathLike) -> dict[str, list[np.ndarray]]:
    """`{layer's key: arrays}` of a `.h5` or `.keras` file, all finite.

    Keys are those of Keras 3: the layer's class and, from the second layer of the class
    on, a number.

    Raises:
        ValueError: The file is damaged, no weights file, or a weight is not finite.
    """
    stored = _opened(path)
    check_finite(path, stored)
    return stored


def check_finite(path: str | PathLike, stored: dict[str, list[np.ndarray]]) -> None:
    """Raise ValueError if a weight of a file is infinite or NaN."""
    for key, arrays in stored.items():
        if not all(np.isfinite(array).all() for array in arrays):
            raise bad(path, f"a weight of {key} is not finite")


def _opened(path):
    """`{layer's key: arrays}` of a weights file."""
    try:
        source = path
        if str(path).endswith(".keras"):
            content = archive.read(path, "model.weights.h5")
            if content is None:
                raise ValueError("it has no model.weights.h5")
            source = io.BytesIO(content)
        with h5py.File(source) as file:
            kinds = _legacy_kinds(file)
            file = file.get("model_weights", file)
            if "layer_names" in file.attrs:
                return _read_legacy(file, kinds)
            return {
                key: [np.asarray(group["vars"][name]) for name in sorted(group["vars"])]
                for key, group in file["layers"].items()
                if len(group.get("vars", ()))
            }
    except UNREADABLE as error:
        raise bad(path, str(error)) from error


def _legacy_kinds(file):
    """`{layer's name: class}`, where a file holds its architecture."""
    config = json.loads(file.attrs.get("model_config", "{}")).get("config", {})
    layers = config.get("layers", ())
    return {layer["config"]["name"]: layer["class_name"] for layer in layers}


def _read_legacy(file, kinds):
    """`{layer's key: arrays}` of a file in the layout of Keras 2."""
    counts: dict[str, int] = {}
    stored: dict[str, list[np.ndarray]] = {}
    for name in map(_text, file.attrs["layer_names"]):
        group = file[name]
        weights = [
            np.asarray(group[weight])
            for weight in map(_text, group.attrs["weight_names"])
        ]
        if weights:
            kind = spelled(kinds[name]) if name in kinds else _kind(weights)
            key = next_key(counts, kind)
            stored[key] = weights
    return stored


def _kind(weights):
    """Class of the layer with these weights, spelled as in a key."""
    if weights[0].ndim == 1:
        return "batch_normalization"
    if weights[0].ndim == 2:
        return "dense"
    return "depthwise_conv2d" if weights[0].shape[-1] == 1 else "conv2d"


def spelled(kind: str) -> str:
    """The name of a class, spelled as in a key: `Conv2D` is `conv2d`."""
    return re.sub("(?<=[a-z])(?=[A-Z])", "_", kind).lower()


def _text(name):
    return name.decode() if isinstance(name, bytes) else name


def next_key(counts: dict[str, int], kind: str) -> str:
    """The key of the next layer of a class; updates the counts."""
    count = counts[kind] = counts.get(kind, -1) + 1
    return f"{kind}_{count}" if count else kind


def bad(path: str | PathLike, reason: str) -> ValueError:
    """The error for a file that does not fit."""
    return ValueError(
        f"weights file {str(path)!r} is damaged or of another network: {reason}"
    )
