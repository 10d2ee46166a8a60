"""The proof that an exported file computes what its Keras model does."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

import numpy as np

FLOAT_TOLERANCE = 1e-4


@dataclasses.dataclass(frozen=True)
class Report:
    """How an exported file and the Keras model differ on real images.

    Attributes:
        format: Such as "saved_model".
        images: Number of images.
        maximum_difference: Largest absolute difference of two outputs.
        tolerance: The largest difference that is accepted, for outputs of this size;
            None where the best classes count.
        top1_agreement: Share of images with the same best class; None for a network
            without a classifier.
        similarity: Mean cosine of the features; None for a network with one.
        model_accuracy: Top-1 of the Keras model, where the true classes are given.
        file_accuracy: Top-1 of the file.
    """

    format: str
    images: int
    maximum_difference: float
    tolerance: float | None
    top1_agreement: float | None = None
    similarity: float | None = None
    model_accuracy: float | None = None
    file_accuracy: float | None = None

    def __str__(self):
        limit = "" if self.tolerance is None else f" (at most {self.tolerance:g})"
        agreement = accuracy = ""
        if self.top1_agreement is not None:
            agreement = f", same best class on {100 * self.top1_agreement:.1f} %"
        if self.similarity is not None:
            agreement = f", mean cosine {self.similarity:.3f}"
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
    *,
    names_classes: bool,
    tolerance: float | None = FLOAT_TOLERANCE,
    min_agreement: float = 0.0,
    classes: Sequence[int] | None = None,
) -> Report:
    """The report on two sets of outputs.

    Args:
        format_name: The file's format.
        expected: Outputs of the Keras model, `(images, ...)`.
        found: Outputs of the file.
        names_classes: Whether outputs are scores of classes, rather than features.
        tolerance: The largest difference that is accepted, as a share of the largest
            output, or of 1 where that is smaller; None for a quantised file, which is
            to agree instead.
        min_agreement: The least share of images with the same best class, or the least
            mean cosine of features.
        classes: The true class of each image, for the accuracy of both.

    Raises:
        ValueError: They differ by more, or agree on less, or are no numbers; nothing
            should be kept then.
    """
    if expected.shape != found.shape:
        raise ValueError(
            f"the exported file gives outputs of shape {found.shape}, the model of "
            f"{expected.shape}"
        )
    facts = _agreement(expected, found, names_classes, classes)
    difference = float(np.abs(expected - found).max())
    if tolerance is not None:
        tolerance *= max(1.0, float(np.abs(expected).max()))
    report = Report(format_name, len(expected), difference, tolerance, **facts)
    # Not `difference > limit`, which a NaN would pass.
    if not difference <= (np.inf if tolerance is None else tolerance):
        raise ValueError(f"the exported file is not equal to the model: {report}")
    if not facts["top1_agreement" if names_classes else "similarity"] >= min_agreement:
        raise ValueError(
            f"the exported file agrees with the model on less than min_agreement="
            f"{min_agreement:g}: {report}"
        )
    return report


def check_classes(
    classes: Sequence[int] | None, images: Sequence, labels: Sequence[str] | None
) -> None:
    """Raise ValueError unless there is a class for every image, or none at all.

    Args:
        classes: Numbers of classes.
        images: What they are of.
        labels: Names of the network's classes; None where it gives features.
    """
    if classes is None:
        return
    if labels is None:
        raise ValueError("classes must be None for a network without a classifier")
    found = np.asarray(classes)
    if found.shape != (len(images),):
        raise ValueError(
            f"classes must be one for each of {len(images)} images, got an array of "
            f"shape {found.shape}"
        )
    most = len(labels) - 1
    if found.dtype.kind not in "iu" or found.min() < 0 or found.max() > most:
        raise ValueError(
            f"classes must be integers from 0 to {most}, got {list(classes)[:5]}"
        )


def _agreement(expected, found, names_classes, classes):
    if not names_classes:
        flat = [
            one.reshape(len(one), -1).astype("float64") for one in (expected, found)
        ]
        norms = np.prod([np.linalg.norm(one, axis=1) for one in flat], axis=0)
        return {"similarity": float(np.mean((flat[0] * flat[1]).sum(1) / norms))}
    best = expected.argmax(1), found.argmax(1)
    facts = {"top1_agreement": float(np.mean(best[0] == best[1]))}
    if classes is not None:
        accuracies = [float(np.mean(one == np.asarray(classes))) for one in best]
        facts["model_accuracy"], facts["file_accuracy"] = accuracies
    return facts
