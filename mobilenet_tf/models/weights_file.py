"""What a weights file of Keras 2 or 3 holds, layer by layer."""

from __future__ import annotations

import io
import json
import re
import zipfile
from os import PathLike

import h5py
import numpy as np

# What h5py and zipfile raise for a file that is damaged or laid out otherwise.
UNREADABLE = (
    *(OSError, LookupError, RuntimeError, TypeError, ValueError, AttributeError),
    zipfile.BadZipFile,
)


def read(path: str | PathLike) -> dict[str, list[np.ndarray]]:
    """`{layer's key: arrays}` of a `.h5` or `.keras` file, all finite.

    A key is that of Keras 3: the class and, from the second layer of it on, a number.

    Raises:
        ValueError: The file is damaged, or no weights file.
    """
    stored = _opened(path)
    for key, arrays in stored.items():
        if not all(np.isfinite(array).all() for array in arrays):
            raise bad(path, f"a weight of {key} is not finite")
    return stored


def _opened(path):
    """`{layers' key: arrays}` of a weights file."""
    try:
        source = path
        if str(path).endswith(".keras"):
            with zipfile.ZipFile(path) as archive:
                source = io.BytesIO(archive.read("model.weights.h5"))
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
    """Class by the name of the layer, where a file tells its architecture."""
    config = json.loads(file.attrs.get("model_config", "{}")).get("config", {})
    return {
        one["config"]["name"]: one["class_name"] for one in config.get("layers", ())
    }


def _read_legacy(file, kinds):
    """The same of a file in the layout of Keras 2, as weights were published in."""
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
    """Class of the layer that has these weights, as Keras 3 spells it in a file."""
    if weights[0].ndim == 1:
        return "batch_normalization"
    if weights[0].ndim == 2:
        return "dense"
    return "depthwise_conv2d" if weights[0].shape[-1] == 1 else "conv2d"


def spelled(kind: str) -> str:
    """The name of a class as it is in a key."""
    return re.sub("(?<=[a-z])(?=[A-Z])", "_", kind).lower()


def _text(name):
    return name.decode() if isinstance(name, bytes) else name


def next_key(counts: dict[str, int], kind: str) -> str:
    """The key of the next layer of a class; the counts go on."""
    count = counts[kind] = counts.get(kind, -1) + 1
    return f"{kind}_{count}" if count else kind


def bad(path: str | PathLike, reason: str) -> ValueError:
    """The error that a file does not fit."""
    return ValueError(
        f"weights file {str(path)!r} is damaged or of another network: {reason}"
    )
