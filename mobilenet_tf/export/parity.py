"""The proof that an exported file computes what its Keras model does."""

from __future__ import annotations

import dataclasses
import json

import numpy as np

FLOAT_TOLERANCE = 1e-4


@dataclasses.dataclass(frozen=True)
class Report:
    """How an exported file and the Keras model differ on real images.

    Attributes:
        format: Such as "saved_model".
        images: Number of images.
        maximum_difference: Largest absolute difference of two outputs.
        top1_agreement: Share of images with the same best class; None for a network
            without a classifier.
        tolerance: The largest difference that is accepted.
    """

    format: str
    images: int
    maximum_difference: float
    top1_agreement: float | None
    tolerance: float

    def __str__(self):
        agreement = ""
        if self.top1_agreement is not None:
            agreement = f", same best class on {100 * self.top1_agreement:.1f} %"
        return (
            f"{self.format} against Keras on {self.images} images: largest difference "
            f"{self.maximum_difference:.2g} (at most {self.tolerance:g}){agreement}"
        )

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"


def compare(
    format_name: str,
    expected: np.ndarray,
    found: np.ndarray,
    tolerance: float = FLOAT_TOLERANCE,
) -> Report:
    """The report on two sets of outputs.

    Args:
        format_name: The file's format.
        expected: Outputs of the Keras model, `(images, ...)`.
        found: Outputs of the file.
        tolerance: The largest difference that is accepted.

    Raises:
        ValueError: They differ by more; nothing should be kept then.
    """
    agreement = None
    if expected.ndim == 2:
        agreement = float(np.mean(expected.argmax(1) == found.argmax(1)))
    difference = float(np.abs(expected - found).max())
    report = Report(format_name, len(expected), difference, agreement, tolerance)
    # Not `difference > tolerance`, which a NaN would pass.
    if not difference <= tolerance:
        raise ValueError(f"the exported file is not equal to the model: {report}")
    return report


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
