"""The proof that an exported file computes what its Keras model does."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence
from pathlib import Path

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
        tolerance: The largest difference that is accepted; infinite where the best
            classes count.
        model_accuracy: Top-1 of the Keras model, where the true classes are given.
        file_accuracy: Top-1 of the file.
    """

    format: str
    images: int
    maximum_difference: float
    top1_agreement: float | None
    tolerance: float
    model_accuracy: float | None = None
    file_accuracy: float | None = None

    def __str__(self):
        limit = f" (at most {self.tolerance:g})" if self.tolerance < np.inf else ""
        agreement = accuracy = ""
        if self.top1_agreement is not None:
            agreement = f", same best class on {100 * self.top1_agreement:.1f} %"
        if self.model_accuracy is not None:
            accuracy = (
                f", top-1 {100 * self.file_accuracy:.1f} % against "
                f"{100 * self.model_accuracy:.1f} %"
            )
        return (
            f"{self.format} against Keras on {self.images} images: largest difference "
            f"{self.maximum_difference:.2g}{limit}{agreement}{accuracy}"
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


def compare_classes(
    format_name: str,
    expected: np.ndarray,
    found: np.ndarray,
    min_agreement: float,
    truth: Sequence[int] | None = None,
) -> Report:
    """The report on a quantised file, which is to name the same best classes.

    Args:
        format_name: The file's format.
        expected: Outputs of the Keras model, `(images, classes)`.
        found: Outputs of the file.
        min_agreement: The least share of images with the same best class.
        truth: The true class of each image, for the accuracy of both.

    Raises:
        ValueError: They agree on fewer; nothing should be kept then.
    """
    report = compare(format_name, expected, found, np.inf)
    if report.top1_agreement < min_agreement:
        raise ValueError(
            "the exported file agrees with the model on the best class of "
            f"{100 * report.top1_agreement:.1f} % of {report.images} images, at least "
            f"{100 * min_agreement:.1f} % are wanted"
        )
    if truth is None:
        return report
    accuracies = [float(np.mean(one.argmax(1) == truth)) for one in (expected, found)]
    return dataclasses.replace(
        report, model_accuracy=accuracies[0], file_accuracy=accuracies[1]
    )


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


def read_photographs(folder: str | os.PathLike, most: int = 400) -> list[np.ndarray]:
    """The first JPEG and PNG files below a folder, in the order of their names.

    Raises:
        ValueError: There are fewer than two.
    """
    from PIL import Image

    files = sorted(
        file
        for file in Path(folder).rglob("*")
        if file.suffix.lower() in (".jpg", ".jpeg", ".png")
    )
    if len(files) < 2:
        raise ValueError(
            f"images must be a folder with at least two JPEG or PNG files, "
            f"got {str(folder)!r} with {len(files)}"
        )
    return [np.asarray(Image.open(file).convert("RGB")) for file in files[:most]]
