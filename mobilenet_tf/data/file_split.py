"""A split whose images are files: decoded in every epoch, or once into memory."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.data.arrays import ArraySplit, batch_rows
from mobilenet_tf.data.dataset import WHOLE, Batch, Share
from mobilenet_tf.data.photographs import read_image
from mobilenet_tf.data.storage import stored
from mobilenet_tf.data.threads import map_in_threads


@dataclasses.dataclass(frozen=True)
class FileSplit:
    """Image files with one class each, decoded in threads.

    Attributes:
        files: Paths of the images.
        labels: int64 `(n,)`, their classes.
        side: Side in pixels of the stored square images.
    """

    files: tuple[Path, ...]
    labels: np.ndarray
    side: int

    @property
    def size(self) -> int:
        """Number of images."""
        return len(self.files)

    def epoch(
        self,
        batch_size: int,
        seed: Any = None,
        share: Share = WHOLE,
        stratified: bool = False,
    ) -> Iterator[Batch]:
        """The split once: shuffled full batches with a seed, else all in order.

        Raises:
            ValueError: A file cannot be read (any more); the message names it.
        """
        batches = list(batch_rows(self.labels, batch_size, seed, share, stratified))
        decoded = map_in_threads(self._decode, itertools.chain(*batches))
        for rows in batches:
            images, aspects = zip(*itertools.islice(decoded, len(rows)), strict=True)
            yield Batch(
                np.stack(images), np.array(aspects, "float32"), self.labels[rows]
            )

    def decode(self) -> ArraySplit:
        """All images of the split, decoded into memory."""
        if not self.files:
            nothing = np.empty((0, self.side, 3, self.side), "uint8")
            return ArraySplit(Batch(nothing, np.empty(0, "float32"), self.labels))
        return ArraySplit.from_batches(self.size, self.epoch(256))

    def _decode(self, row: int) -> tuple[np.ndarray, float]:
        # Twice the side leaves the scaling to the antialiasing filter.
        image = read_image(self.files[row], minimum_side=2 * self.side)
        return stored(image, self.side), image.shape[1] / image.shape[0]
