"""Batches for training and evaluation: order, crop boxes, targets."""

from collections.abc import Iterator

import numpy as np

from mobilenet_tf.data.augmentation import Augmentation, blended
from mobilenet_tf.data.boxes import central_boxes
from mobilenet_tf.data.dataset import WHOLE, Share, Split

# Stored images and their crops, as `Augmentation` gives them, and the targets.
TrainingBatch = tuple[tuple[np.ndarray, np.ndarray], np.ndarray]


def training_batches(
    split: Split,
    classes: int,
    batch_size: int,
    seed: int,
    first_epoch: int,
    augmentation: Augmentation,
    share: Share = WHOLE,
    stratified: bool = False,
) -> Iterator[TrainingBatch]:
    """Endless `((images, crops), targets)`, from the start of an epoch.

    Order and crops of an epoch follow from `(seed, epoch)` alone, so a training that is
    resumed sees the batches that it would have seen without the interruption.

    Args:
        split: The images.
        classes: Number of classes.
        batch_size: Images in a batch; a multiple of the number of shares.
        seed: Seed of order and crops.
        first_epoch: The epoch to begin with, from 0.
        augmentation: What the crops are like.
        share: The part of every batch that is read.
        stratified: Whether each class is spread evenly over the batches of an epoch.
    """
    epoch = first_epoch
    while True:
        rng = np.random.default_rng([seed, epoch, 1])
        order = [seed, epoch, 0]
        for batch in split.epoch(batch_size, order, share, stratified):
            crops = augmentation.crops(batch, rng, seed, epoch, share)
            expected = blended(targets(batch.labels, classes), crops)
            yield (batch.images, crops), expected
        epoch += 1


def evaluation_batches(
    split: Split,
    classes: int,
    batch_size: int,
    central_fraction: float,
    multi_label: bool = False,
) -> Iterator[TrainingBatch]:
    """`((images, boxes), targets)` of the whole split, in order, once.

    Args:
        split: The images.
        classes: Number of classes or attributes.
        batch_size: Images in a batch; the last may have fewer.
        central_fraction: Share of height and width that the central crop keeps.
        multi_label: Whether the labels are attributes instead of classes.

    Raises:
        ValueError: An image is unlabelled, or the labels are of the other kind.
    """
    for batch in split.epoch(batch_size):
        if (batch.labels < 0).any():
            raise ValueError("images without labels cannot be evaluated")
        if (batch.labels.ndim == 2) != multi_label:
            raise ValueError(
                f"multi_label must be {not multi_label} for the labels of these "
                f"images, got {multi_label}"
            )
        boxes = central_boxes(len(batch), central_fraction)
        yield (batch.images, boxes), targets(batch.labels, classes)


def targets(labels: np.ndarray, classes: int) -> np.ndarray:
    """Labels as a loss function takes them.

    Args:
        labels: As in `Batch`: classes `(n,)`, or attributes `(n, classes)`.
        classes: Number of classes or attributes.

    Returns:
        float32 `(n, classes)`: one-hot; zeros for unlabelled images; attributes as they
        are.

    Raises:
        ValueError: The labels are of another number of classes.
    """
    multi_label = labels.ndim == 2
    number = labels.shape[1] if multi_label else labels.max(initial=-1) + 1
    if number > classes or (multi_label and number < classes):
        raise ValueError(f"there are labels of {number} classes, expected {classes}")
    if multi_label:
        return labels.astype("float32")
    one_hot = np.zeros((len(labels), classes), "float32")
    (rows,) = np.nonzero(labels >= 0)
    one_hot[rows, labels[rows]] = 1
    return one_hot
