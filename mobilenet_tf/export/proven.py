"""A file appears when it is proven equal to its model; report and card beside it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np

from mobilenet_tf.export import card, parity


def publish(
    path: str | os.PathLike,
    model: keras.Model,
    labels: Sequence[str] | None,
    *,
    write: Callable[[Path], None],
    prove: Callable[[Path], parity.Report],
) -> parity.Report:
    """Write a file or folder, prove it, and let it appear.

    Args:
        path: Where it will stand; it must not exist.
        model: The network that is exported.
        labels: Names of the classes for the model card; None without a classifier.
        write: Writes the file to the path that it is given.
        prove: Compares that file with the model; raises if they differ.

    Returns:
        The parity report, which also stands in `{path}.json`; `{path}.md` is the card.

    Raises:
        ValueError: The path exists, or the proof fails; no file is left then.
    """
    path = Path(path)
    if path.exists():
        raise ValueError(f"path must not exist yet, got {str(path)!r}; delete it first")
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        partial = folder / path.name
        write(partial)
        report = prove(partial)
        texts = {
            ".json": report.to_json(),
            ".md": card.render(model, path.name, labels, report),
        }
        os.replace(partial, path)
    finally:
        shutil.rmtree(folder)
    for suffix, text in texts.items():
        path.with_name(path.name + suffix).write_text(text)
    return report


def images_or_default(images: Sequence[np.ndarray] | None) -> list[np.ndarray]:
    """The caller's images, or parts of a photograph.

    Raises:
        ValueError: There are none, or one is not uint8 `(H, W, 3)`.
    """
    if images is None:
        return parity.photographs()
    images = list(images)
    for image in images:
        if image.dtype != "uint8" or image.ndim != 3 or image.shape[-1] != 3:
            raise ValueError(
                "images must be uint8 of shape (H, W, 3), got "
                f"{image.dtype} {image.shape}"
            )
    if not images:
        raise ValueError("images must hold at least one image, got none")
    return images
