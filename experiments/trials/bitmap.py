"""The correctness of each validation image, packed into a few bytes of a record."""

from __future__ import annotations

import base64
import binascii

import numpy as np


def encode(correct: np.ndarray) -> dict:
    """A JSON-ready bitmap.

    Args:
        correct: Boolean, `(images,)`, in the order of the split.

    Returns:
        The number of images, and the packed bits in base64.
    """
    bits = np.packbits(np.asarray(correct, bool))
    return {"images": len(correct), "bits": base64.b64encode(bits).decode("ascii")}


def decode(bitmap: dict) -> np.ndarray:
    """The boolean array `(images,)` that `encode` was given.

    Raises:
        ValueError: The bitmap is damaged.
    """
    try:
        packed = np.frombuffer(base64.b64decode(bitmap["bits"], validate=True), "uint8")
    except (binascii.Error, KeyError, TypeError) as error:
        raise ValueError(f"the bitmap of correct images is damaged: {error}") from error
    images = bitmap.get("images")
    if not isinstance(images, int) or len(packed) != -(-images // 8):
        raise ValueError(
            f"the bitmap of correct images must be of {images!r} images, got "
            f"{len(packed)} bytes"
        )
    return np.unpackbits(packed, count=images).astype(bool)
