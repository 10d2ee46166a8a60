"""How images are stored: as which squares, and whether they fit into memory."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from mobilenet_tf import arguments

MODES = ("auto", "arrays", "stream")
CENTRAL_FRACTION = 0.875  # of a stored image, seen in evaluation
MEMORY_BUDGET_BYTES = 4 * 2**30


def check_options(base_resolution: int | None, mode: str) -> None:
    """Check two arguments that all sources of images have.

    Raises:
        ValueError: One is illegal.
    """
    arguments.one_of("mode", mode, MODES)
    if base_resolution is not None:
        arguments.integer("base_resolution", base_resolution)


def sides(
    base_resolution: int | None, image_size: tuple[int | None, int | None]
) -> tuple[int, int]:
    """The input side at rho 1, and the side of the stored images, in pixels.

    Images are stored as squares of `base_resolution / 0.875` pixels: enough for the
    central crop at full resolution. Where all have one smaller size, that is enough.

    Args:
        base_resolution: The input side; None means 224, or the side of the images where
            all have one that is smaller.
        image_size: Height and width of all images; None where they differ.
    """
    known = [side for side in image_size if side is not None]
    if len(known) < 2:
        base_resolution = base_resolution or 224
        return int(base_resolution), math.ceil(base_resolution / CENTRAL_FRACTION)
    base_resolution = int(base_resolution or min(224, *known))
    stored = math.ceil(base_resolution / CENTRAL_FRACTION)
    return base_resolution, min(stored, max(known))


def stored(image: np.ndarray, side: int) -> np.ndarray:
    """An image as a batch holds it.

    Args:
        image: uint8 `(height, width, 3)`.
        side: Side S of the square in pixels.

    Returns:
        uint8 `(S, 3, S)`: row, channel, column; scaled bilinearly with antialiasing.
    """
    if image.shape[:2] != (side, side):
        resized = Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR)
        image = np.asarray(resized)
    return image.transpose(0, 2, 1)


def decoded_bytes(images: int, side: int) -> int:
    """Memory that so many stored images take."""
    return 3 * side**2 * images


def in_memory(mode: str, size_bytes: int, budget_bytes: int) -> bool:
    """Whether the images are decoded into memory, or in every epoch."""
    return mode == "arrays" or (mode == "auto" and size_bytes <= budget_bytes)


def description(size_bytes: int, arrays: bool) -> str:
    """Where the images are, for the line that is reported."""
    where = "arrays in memory" if arrays else "decoded in every epoch"
    return f"{where} ({size_bytes / 2**20:,.0f} MiB decoded)"
