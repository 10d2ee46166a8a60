"""The state of a training on disk: every variable, written atomically."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np

from mobilenet_tf.files import archive


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
    named = {f"v{index:05d}": value for index, value in enumerate(values)}
    archive.save_arrays(path, named, metadata)


def load(path: Path) -> tuple[list[np.ndarray], dict] | None:
    """Values and metadata of a snapshot, or None where there is no file.

    Raises:
        ValueError: The file is damaged.
    """
    if not path.exists():
        return None
    with _damage_named(path):
        named, metadata = archive.load_arrays(path)
        return [named[name] for name in sorted(named)], metadata


def load_metadata(path: Path) -> dict | None:
    """The metadata of a snapshot, without reading its values; errors as `load`."""
    if not path.exists():
        return None
    with _damage_named(path):
        return archive.load_header(path)


@contextlib.contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise ValueError(
            f"snapshot {str(path)!r} is damaged ({error}); delete it to train again "
            "from the beginning"
        ) from error
