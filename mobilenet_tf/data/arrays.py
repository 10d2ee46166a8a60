"""Decoded images in memory, and the file they are kept in.

Needs numpy only: with the file, training runs on a machine without TensorFlow.
"""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Batch:
    """Images as stored, before cropping.

    Attributes:
        images: uint8 `(n, S, 3, S)`: row, channel, column; the whole image scaled to a
            square.
        aspects: float32 `(n,)`, width / height of each original image.
        labels: int64 `(n,)`, classes, -1 where there is none; or `(n, attributes)` of
            0 and 1 where an image can have several.
    """

    images: np.ndarray
    aspects: np.ndarray
    labels: np.ndarray

    def __len__(self):
        return len(self.labels)


@dataclasses.dataclass(frozen=True)
class ArraySplit:
    """A split whose decoded images are in memory."""

    contents: Batch

    @property
    def size(self) -> int:
        return len(self.contents)

    def epoch(self, batch_size: int, seed=None) -> Iterator[Batch]:
        """The split once: shuffled full batches with a seed, else all in order."""
        order = np.arange(self.size)
        stop = self.size
        if seed is not None:
            order = np.random.default_rng(seed).permutation(self.size)
            stop -= self.size % batch_size
        for start in range(0, stop, batch_size):
            rows = order[start : start + batch_size]
            yield Batch(
                self.contents.images[rows],
                self.contents.aspects[rows],
                self.contents.labels[rows],
            )


def save_arrays(path: str | os.PathLike, splits: dict[str, ArraySplit], facts: dict):
    """Write splits and the facts that identify them to an `.npz` file, atomically."""
    path = Path(path)
    arrays = {
        f"{name}_{field}": getattr(split.contents, field)
        for name, split in splits.items()
        for field in ("images", "aspects", "labels")
    }
    header = json.dumps({"format": FORMAT, **facts}).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=path.name, delete=False
    ) as file:
        try:
            np.savez(file, header=np.frombuffer(header, "uint8"), **arrays)
            os.replace(file.name, path)
        except BaseException:
            Path(file.name).unlink()
            raise


def load_arrays(path: str | os.PathLike) -> tuple[dict[str, ArraySplit], dict]:
    """Read what `save_arrays` wrote.

    Returns:
        The splits by name, and the facts that identify them.

    Raises:
        ValueError: The file is damaged or is not such a file.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            facts = json.loads(file["header"].tobytes())
            names = sorted({key.split("_")[0] for key in file.files if "_" in key})
            splits = {
                name: ArraySplit(
                    Batch(
                        file[f"{name}_images"],
                        file[f"{name}_aspects"],
                        file[f"{name}_labels"],
                    )
                )
                for name in names
            }
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
        raise ValueError(
            f"arrays must be a file written by --arrays, but {str(path)!r} cannot be "
            f"read ({error}); delete it to have it made again"
        ) from error
    if facts.pop("format", None) != FORMAT:
        raise ValueError(f"arrays file {str(path)!r} has another format; delete it")
    return splits, facts
