"""Agreement of an exported file with its Keras model on real images.

The model is called exactly as its user calls it, the file exactly as a device calls it.
Both get the same resized pixels and share no other code: nothing that writes a file is
used to compute the outputs that it is compared with.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import keras
import numpy as np

from mobilenet_tf.export.images import Examples, scaled
from mobilenet_tf.training import inference

FLOAT_TOLERANCE = 1e-4
_BATCH = 32


@dataclasses.dataclass(frozen=True)
class Memory:
    """What a file needs on a microcontroller.

    Attributes:
        arena_bytes: RAM of the interpreter, to the byte.
        persistent_bytes: The part of it that operators keep.
        non_persistent_bytes: The part that activations share.
        flash_bytes: Size of the file.
        operators: Kinds of operators to register, each once.
        interpreter: Version of the tflite-micro package that measured this.
    """

    arena_bytes: int
    persistent_bytes: int
    non_persistent_bytes: int
    flash_bytes: int
    operators: tuple[str, ...]
    interpreter: str

    def __str__(self):
        return (
            f"arena {self.arena_bytes:,} bytes (persistent {self.persistent_bytes:,}, "
            f"activations {self.non_persistent_bytes:,}), flash {self.flash_bytes:,} "
            f"bytes, operators {', '.join(self.operators)}"
        )


@dataclasses.dataclass(frozen=True)
class Verification:
    """The measured agreement of a file with its Keras model.

    Attributes:
        format: Such as "saved_model".
        images: Number of images.
        image_source: Which images, to be read after their number.
        images_given: Whether they are the caller's, rather than crops of one
            photograph.
        maximum_difference: Largest absolute difference of two outputs.
        tolerance: The largest difference that is accepted, for outputs of this size;
            None for int8, where the agreement counts.
        top1_agreement: Share of images with the same best class; None for a network
            without a classifier.
        mean_cosine: Mean cosine of the features; None for a network with a classifier.
        model_accuracy: Top-1 of the Keras model, where the true classes are given.
        file_accuracy: Top-1 of the file.
        zero_weights: Share of the kernels' weights that are zero.
        memory: For microcontrollers, what the file needs.
    """

    format: str
    images: int
    image_source: str
    images_given: bool
    maximum_difference: float
    tolerance: float | None
    top1_agreement: float | None = None
    mean_cosine: float | None = None
    model_accuracy: float | None = None
    file_accuracy: float | None = None
    zero_weights: float = 0.0
    memory: Memory | None = None

    def __str__(self):
        hint = "" if self.images_given else "; pass data= or images= for your own"
        return self.summary() + hint

    def summary(self) -> str:
        """The sentence of `str`, without a hint at arguments."""
        limit = "" if self.tolerance is None else f" (at most {self.tolerance:g})"
        text = (
            f"{self.format} verified on {self.images} {self.image_source}: largest "
            f"difference {self.maximum_difference:.2g}{limit}"
        )
        if self.top1_agreement is not None:
            text += f", same best class on {100 * self.top1_agreement:.1f} %"
        if self.mean_cosine is not None:
            text += f", mean cosine {self.mean_cosine:.3f}"
        if self.model_accuracy is not None and self.file_accuracy is not None:
            text += (
                f", top-1 {100 * self.file_accuracy:.1f} % (Keras model "
                f"{100 * self.model_accuracy:.1f} %)"
            )
        if self.memory is not None:
            text += f", {self.memory}"
        if self.zero_weights > 0.5:
            text += (
                f". {100 * self.zero_weights:.0f} % of the weights are zero, which "
                "makes this file no smaller: it stores zeros like other weights"
            )
        return text

    @classmethod
    def from_json(cls, text: str) -> Verification:
        """Read the report that stands beside a file, `{path}.json`.

        Raises:
            ValueError: It is something else.
        """
        try:
            return cls(**json.loads(text))
        except TypeError as error:
            raise ValueError(f"it is no report of a verification: {error}") from error

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"


def model_outputs(
    model: keras.Model, input_range: tuple[float, float], pixels: np.ndarray
) -> np.ndarray:
    """Outputs of the user's model for pixels.

    Args:
        model: As the user built it.
        input_range: Its inputs for black and for white.
        pixels: `(images, side, side, 3)` from 0 to 255.
    """
    inputs = scaled(pixels, input_range)
    batches = [inputs[i : i + _BATCH] for i in range(0, len(inputs), _BATCH)]
    outputs_of = inference.Outputs(model)
    return np.concatenate([outputs_of(batch) for batch in batches])


def compare(
    format_name: str,
    examples: Examples,
    expected: np.ndarray,
    actual: np.ndarray,
    *,
    classifies: bool,
    tolerance: float | None = FLOAT_TOLERANCE,
    min_agreement: float = 0.0,
    zero_weights: float = 0.0,
) -> Verification:
    """Compare the outputs of a file with those of its model.

    Args:
        format_name: The file's format.
        examples: The images of the outputs.
        expected: Outputs of the Keras model, `(images, ...)`.
        actual: Outputs of the file.
        classifies: Whether outputs are scores of classes, rather than features.
        tolerance: The largest difference that is accepted, as a share of the largest
            output, or of 1 where that is smaller; None for a quantised file, which is
            to agree instead.
        min_agreement: The least share of images with the same best class, or the least
            mean cosine of features.
        zero_weights: Share of the kernels' weights that are zero.

    Raises:
        ValueError: They differ by more, agree on less, or are not finite; the file must
            not be kept then.
    """
    if expected.shape != actual.shape:
        raise ValueError(
            f"the exported file gives outputs of shape {actual.shape}, the model of "
            f"{expected.shape}"
        )
    agreement = _agreement(expected, actual, classifies, examples.classes)
    if tolerance is not None:
        tolerance *= max(1.0, float(np.abs(expected).max()))
    verification = Verification(
        format=format_name,
        images=len(expected),
        image_source=examples.source,
        images_given=examples.given,
        maximum_difference=float(np.abs(expected - actual).max()),
        tolerance=tolerance,
        zero_weights=zero_weights,
        **agreement,
    )
    # Not `difference > limit`, which a NaN would pass.
    limit = np.inf if tolerance is None else tolerance
    if not verification.maximum_difference <= limit:
        raise ValueError(
            f"the exported file differs from the model, and was not kept: "
            f"{verification}"
        )
    if (
        not agreement["top1_agreement" if classifies else "mean_cosine"]
        >= min_agreement
    ):
        raise ValueError(
            f"the exported file agrees with the model on less than min_agreement="
            f"{min_agreement:g}, and was not kept: {verification}"
        )
    return verification


def _agreement(
    expected: np.ndarray,
    actual: np.ndarray,
    classifies: bool,
    classes: np.ndarray | None,
) -> dict[str, Any]:
    if not classifies:
        a, b = (x.reshape(len(x), -1).astype("float64") for x in (expected, actual))
        norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        return {"mean_cosine": float(np.mean((a * b).sum(1) / norms))}
    best, best_of_file = expected.argmax(1), actual.argmax(1)
    agreement = {"top1_agreement": float(np.mean(best == best_of_file))}
    if classes is not None:
        agreement["model_accuracy"] = float(np.mean(best == classes))
        agreement["file_accuracy"] = float(np.mean(best_of_file == classes))
    return agreement
