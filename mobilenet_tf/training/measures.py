"""What an evaluation gives: accuracy, loss and the confusion matrix."""

from __future__ import annotations

import dataclasses
import os

import numpy as np

from mobilenet_tf.training import confusion


@dataclasses.dataclass(frozen=True, eq=False)
class Evaluation:
    """Measures of a network on a set of images.

    Attributes:
        images: How many there were.
        loss: Mean cross-entropy with the labels.
        top1: Share of the images whose label scored highest, in [0, 1]; None for
            multi-label images.
        top5: Share whose label is among the five highest scores; None where there are
            at most five classes.
        correct: Which images were right, boolean `(images,)` in the order of the
            split, so that two networks can be compared image by image; None for
            multi-label images.
        mean_ap: Mean average precision of multi-label images.
        confusion: int64 `(classes, classes)`: images of each class, in rows, by the
            class that scored highest, in columns; None for multi-label images.
        class_names: Names of the classes in index order.

    `print(evaluation)` shows all of it.
    """

    images: int
    loss: float
    top1: float | None = None
    top5: float | None = None
    correct: np.ndarray | None = None
    mean_ap: float | None = None
    confusion: np.ndarray | None = None
    class_names: tuple[str, ...] = ()

    @property
    def recall(self) -> np.ndarray | None:
        """Share of each class's images that were right; NaN for a class without."""
        return None if self.confusion is None else confusion.recall(self.confusion)

    @property
    def precision(self) -> np.ndarray | None:
        """Share of right ones among the images given each class; NaN where none was."""
        return None if self.confusion is None else confusion.precision(self.confusion)

    def __str__(self) -> str:
        measures = [f"{self.images:,} images", f"loss {self.loss:.3f}"]
        for name, value in (
            ("top-1", self.top1),
            ("top-5", self.top5),
            ("mean average precision", self.mean_ap),
        ):
            if value is not None:
                measures.append(f"{name} {100 * value:.1f} %")
        text = ", ".join(measures)
        if self.confusion is not None:
            text += f"\n\n{confusion.describe(self.confusion, self.class_names)}"
        return text

    def save_confusion_matrix(self, path: str | os.PathLike) -> None:
        """Draw the confusion matrix.

        Args:
            path: A file that ends in .png, .svg or .pdf, which appears by rename.

        Raises:
            ValueError: There is no confusion matrix, or `path` ends in something else.
            ImportError: matplotlib is not installed.
        """
        if self.confusion is None:
            raise ValueError("multi-label images have no confusion matrix")
        confusion.save_picture(self.confusion, self.class_names, path)

    def as_dict(self) -> dict[str, float]:
        """The measures that apply, for a record: "top1", "top5", "mean_ap", "loss"."""
        names = ("top1", "top5", "mean_ap", "loss")
        values = {name: getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if value is not None}
