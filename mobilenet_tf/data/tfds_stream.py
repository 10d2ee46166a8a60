"""A TFDS split read with tf.data: in every epoch, or once into memory."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from mobilenet_tf.data.arrays import ArraySplit
from mobilenet_tf.data.dataset import WHOLE, Batch, Share
from mobilenet_tf.data.tfds_catalogue import Source
from mobilenet_tf.processor import usable_cores

SHUFFLE_BUFFER = 8192


@dataclasses.dataclass(frozen=True)
class StreamSplit:
    """A split that is read and decoded in every epoch.

    Attributes:
        source: The data set.
        split: TFDS split string.
        side: Side S in pixels of the stored square images.
    """

    source: Source
    split: str
    side: int

    @property
    def size(self) -> int:
        """Number of images."""
        return self.source.size(self.split)

    def epoch(
        self,
        batch_size: int,
        seed: Any = None,
        share: Share = WHOLE,
        stratified: bool = False,
    ) -> Iterator[Batch]:
        """The split once: shuffled full batches with a seed, else all in order.

        With a seed, files are shuffled, and examples within a buffer of 8,192.

        Raises:
            ValueError: Batches are to be stratified: labels are not known in advance.
        """
        if stratified:
            raise ValueError(
                "stratified batches need images in memory; choose another recipe, or "
                "mode='arrays' with a larger memory budget"
            )
        shuffled = seed is not None
        tf_seed = int(np.random.default_rng(seed).integers(2**31)) if shuffled else None
        dataset = self.source.builder.as_dataset(
            split=self.split,
            shuffle_files=shuffled,
            read_config=tfds.ReadConfig(
                shuffle_seed=tf_seed,
                interleave_cycle_length=16 if shuffled else 1,
                enable_ordering_guard=False,  # the order is meant to change
            ),
        )
        dataset = dataset.with_options(_options())
        if shuffled:
            # Shuffling what is still encoded keeps the buffer small.
            dataset = dataset.shuffle(min(self.size, SHUFFLE_BUFFER), seed=tf_seed)
        if share != WHOLE:
            dataset = _own_part(dataset, self.size, batch_size, share)
            batch_size //= share.count
        # It takes no decision by a tensor's value, which AutoGraph would look for.
        stored = tf.autograph.experimental.do_not_convert(self.stored)
        dataset = dataset.map(stored, usable_cores())
        dataset = dataset.batch(batch_size, drop_remainder=shuffled)
        with self._damage_named():
            for batch in dataset.prefetch(2).as_numpy_iterator():
                if self.source.labels.key and (batch[2] < 0).any():
                    raise ValueError(
                        f"split {self.split!r} of {self.source.name!r} has images "
                        "without a label; choose another split or unlabelled=True"
                    )
                yield Batch(*batch)

    def decode(self) -> ArraySplit:
        """All images of the split, decoded into memory."""
        return ArraySplit.from_batches(self.size, self.epoch(256))

    def stored(self, example: dict) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """An example as a batch holds it: image, aspect ratio and labels.

        The image is scaled bilinearly with antialiasing to `(side, 3, side)`.
        """
        image = example[self.source.image_key]
        if self.source.to_rgb:
            image = image[..., :3]
            image = tf.image.grayscale_to_rgb(image) if image.shape[-1] == 1 else image
        size = tf.cast(tf.shape(image)[:2], tf.float32)
        if image.shape[:2] != (self.side, self.side):
            image = tf.image.resize(image, (self.side, self.side), antialias=True)
            image = tf.cast(tf.round(image), tf.uint8)
        stored = tf.transpose(image, (0, 2, 1))
        return stored, size[1] / size[0], self.source.labels.of(example)

    @contextlib.contextmanager
    def _damage_named(self) -> Iterator[None]:
        try:
            yield
        except (tf.errors.DataLossError, tf.errors.InvalidArgumentError) as error:
            raise ValueError(
                f"split {self.split!r} of data set {self.source.name!r} is damaged: "
                f"{error.message} Delete {str(self.source.builder.data_path)!r} and "
                "prepare it again."
            ) from error


def _own_part(
    dataset: tf.data.Dataset, size: int, batch_size: int, share: Share
) -> tf.data.Dataset:
    """The examples of a process, before they are decoded: its rows of full batches."""
    rows = share.rows(batch_size)

    def own(index, _):
        row = index % batch_size
        return (row >= rows.start) & (row < rows.stop)

    full = dataset.take(size - size % batch_size)
    return full.enumerate().filter(own).map(lambda _, example: example)


def _options() -> tf.data.Options:
    """The order is kept; nothing is tuned, see `mobilenet_tf.training.feed`."""
    options = tf.data.Options()
    options.deterministic = True
    options.autotune.enabled = False
    return options
