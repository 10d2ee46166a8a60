"""The images that an export is proven on."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import keras
import numpy as np

from mobilenet_tf.data.preprocessing import Preprocessing

SUFFIXES = (".jpg", ".jpeg", ".png")


def images_or_default(
    images: Sequence[np.ndarray] | None, name: str = "images"
) -> list[np.ndarray]:
    """The caller's images, or parts of a photograph.

    Args:
        images: As the caller gave them.
        name: Of the argument.

    Raises:
        ValueError: There are none, or one is not uint8 `(H, W, 3)`.
    """
    if images is None:
        return photographs()
    if isinstance(images, str) or not isinstance(images, Iterable):
        raise ValueError(f"{name} must be a sequence of arrays, got {images!r}")
    images = list(images)
    for image in images:
        dtype, shape = getattr(image, "dtype", None), getattr(image, "shape", ())
        if dtype != "uint8" or len(shape) != 3 or shape[-1] != 3 or 0 in shape:
            what = type(image).__name__ if dtype is None else f"{dtype} {shape}"
            raise ValueError(f"{name} must be uint8 of shape (H, W, 3), got {what}")
    if not images:
        raise ValueError(f"{name} must hold at least one image, got none")
    return images


def scaled(model: keras.Model, images: Sequence[np.ndarray]) -> np.ndarray:
    """Images as the model takes them, `(images, side, side, 3)` in [-1, 1]."""
    side = model.input_shape[1]
    return np.stack([Preprocessing().apply(image, side) for image in images])


def photographs(count: int = 16, seed: int = 0) -> list[np.ndarray]:
    """Parts of a real photograph, uint8 `(H, W, 3)` of unequal sizes.

    They are for a caller who has no images at hand: cut from the portrait that comes
    with matplotlib, at random places, sizes and orientations.
    """
    from matplotlib import cbook
    from PIL import Image

    with cbook.get_sample_data("grace_hopper.jpg") as file:
        whole = np.asarray(Image.open(file).convert("RGB"))
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(count):
        height, width = rng.integers(120, min(whole.shape[:2]), 2)
        top = rng.integers(whole.shape[0] - height + 1)
        left = rng.integers(whole.shape[1] - width + 1)
        part = whole[top : top + height, left : left + width]
        parts.append(part[:, :: rng.choice([-1, 1])])
    return parts


def read_folder(
    folder: str | os.PathLike, labels: Sequence[str] | None = None, most: int = 400
) -> tuple[list[np.ndarray], list[int] | None]:
    """JPEG and PNG files below a folder, evenly from all of it.

    Args:
        folder: Where they are.
        labels: Names of the classes.
        most: How many to read.

    Returns:
        The images, uint8 `(H, W, 3)`, and their classes: None if not each image lies in
        a folder that has the name of a class.

    Raises:
        ValueError: There are fewer than two.
    """
    from PIL import Image

    files = sorted(
        file for file in Path(folder).rglob("*") if file.suffix.lower() in SUFFIXES
    )
    if len(files) < 2:
        raise ValueError(
            f"images must be a folder with at least two JPEG or PNG files, "
            f"got {str(folder)!r} with {len(files)}"
        )
    files = files[:: -(-len(files) // most)]
    images = [np.asarray(Image.open(file).convert("RGB")) for file in files]
    numbers = {label: number for number, label in enumerate(labels or ())}
    classes = [numbers.get(file.parent.name) for file in files]
    return images, None if None in classes else classes
