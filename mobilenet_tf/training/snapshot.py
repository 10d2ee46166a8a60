"""The state of a training on disk: every variable, written atomically."""

from __future__ import annotations

import contextlib
import json
import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import keras
import numpy as np


def variables(model: keras.Model) -> list[keras.Variable]:
    """All variables that training changes: of the model, and of its optimizer."""
    return [*model.variables, *model.optimizer.variables]


def checksum(model: keras.Model) -> int:
    """CRC-32 of a model's weights."""
    value = 0
    for array in model.get_weights():
        value = zlib.crc32(np.ascontiguousarray(array).data, value)
    return value


def capture(model: keras.Model) -> list[np.ndarray]:
    """The values of `variables(model)`."""
    return [keras.ops.convert_to_numpy(variable) for variable in variables(model)]


def restore(model: keras.Model, values: list[np.ndarray]) -> None:
    """Assign captured values to a compiled and built model.

    Raises:
        ValueError: The values are of another model or optimizer.
    """
    targets = variables(model)
    if [tuple(v.shape) for v in targets] != [v.shape for v in values]:
        raise ValueError("the snapshot is of another model or optimizer")
    for target, value in zip(targets, values, strict=True):
        target.assign(value)


def save(path: Path, values: list[np.ndarray], metadata: dict) -> None:
    """Write values and JSON metadata to an `.npz` file, by atomic rename."""
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        header = np.frombuffer(json.dumps(metadata).encode(), "uint8")
        named: dict[str, Any] = {
            f"v{index:05d}": value for index, value in enumerate(values)
        }
        np.savez(file, header=header, **named)
    os.replace(partial, path)


def load(path: Path) -> tuple[list[np.ndarray], dict] | None:
    """Values and metadata of a snapshot, or None where there is no file.

    Raises:
        ValueError: The file is damaged.
    """
    with _opened(path) as file:
        if file is None:
            return None
        names = sorted(name for name in file.files if name != "header")
        return [file[name] for name in names], _header(file)


def load_metadata(path: Path) -> dict | None:
    """The metadata of a snapshot, without reading its values."""
    with _opened(path) as file:
        return None if file is None else _header(file)


@contextlib.contextmanager
def _opened(path):
    if not path.exists():
        yield None
        return
    try:
        with np.load(path, allow_pickle=False) as file:
            yield file
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
        raise ValueError(
            f"snapshot {str(path)!r} is damaged ({error}); delete it to train again "
            "from the beginning"
        ) from error


def _header(file):
    return json.loads(file["header"].tobytes())
