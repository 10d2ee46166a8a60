"""Reading weights files of Keras 2 and 3, layer by layer."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from collections.abc import Iterator
from os import PathLike
from typing import Any

import h5py
import numpy as np

from mobilenet_tf.files import archive

# What h5py raises for a file that is damaged or laid out otherwise.
UNREADABLE = (
    *(OSError, LookupError, RuntimeError, TypeError, ValueError, AttributeError),
)


@dataclasses.dataclass(frozen=True)
class StoredWeights:
    """What a weights file holds, read once.

    Attributes:
        path: The file.
        arrays: By the keys of Keras 3: the layer's class and, from the second layer of
            the class on, a number.
        layers: Class and settings of every layer, in models inside models too; none
            where the file holds weights alone.

    Raises:
        ValueError: A weight is infinite or NaN.
    """

    path: str | PathLike
    arrays: dict[str, list[np.ndarray]] = dataclasses.field(repr=False)
    layers: tuple[tuple[str, dict], ...] = dataclasses.field(default=(), repr=False)

    def __post_init__(self):
        for key, arrays in self.arrays.items():
            if not all(np.isfinite(array).all() for array in arrays):
                raise bad(self.path, f"a weight of {key} is not finite")

    def first_kernel(self) -> tuple[int, ...]:
        """Shape of the first convolution's kernel.

        Raises:
            ValueError: There is no convolution.
        """
        if "conv2d" not in self.arrays:
            raise bad(self.path, "it has no convolution")
        return self.arrays["conv2d"][0].shape


def read(path: str | PathLike) -> StoredWeights:
    """Read a `.h5` or `.keras` file.

    Raises:
        ValueError: The file is damaged, no weights file, or a weight is not finite.
    """
    try:
        if str(path).endswith(".keras"):
            arrays, architecture = _read_keras(path)
        else:
            with h5py.File(path) as file:
                architecture = json.loads(file.attrs.get("model_config", "null"))
                arrays = _arrays(file, architecture)
        layers = tuple(_layers(architecture))
    except UNREADABLE as error:
        raise bad(path, str(error)) from error
    return StoredWeights(path, arrays, layers)


def _read_keras(path):
    names = ("model.weights.h5", "config.json")
    content = archive.read_members(path, names)
    for name in names:
        if name not in content:
            raise ValueError(f"it has no {name}")
    weights, config = (content[name] for name in names)
    with h5py.File(io.BytesIO(weights)) as file:
        return _arrays(file, None), json.loads(config)


def _arrays(file, architecture):
    """`{layer's key: arrays}` of an open HDF5 file in either layout."""
    file = file.get("model_weights", file)
    if "layer_names" in file.attrs:
        return _read_legacy(file, _legacy_kinds(architecture))
    return {
        key: [np.asarray(group["vars"][name]) for name in sorted(group["vars"])]
        for key, group in file["layers"].items()
        if len(group.get("vars", ()))
    }


def _layers(architecture: Any) -> Iterator[tuple[str, dict]]:
    if isinstance(architecture, list):
        for item in architecture:
            yield from _layers(item)
    elif isinstance(architecture, dict):
        settings = architecture.get("config")
        if isinstance(settings, dict) and "class_name" in architecture:
            yield architecture["class_name"], settings
        for item in architecture.values():
            yield from _layers(item)


def _legacy_kinds(architecture):
    """`{layer's name: class}`, where a file holds its architecture."""
    layers = (architecture or {}).get("config", {}).get("layers", ())
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
