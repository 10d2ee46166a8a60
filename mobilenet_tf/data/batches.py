"""From stored images to what a training step takes: order, crops, targets."""

from contextlib import contextmanager

import numpy as np

from mobilenet_tf.data.boxes import central_boxes, random_boxes
from mobilenet_tf.data.dataset import Split


def training_batches(
    split: Split, classes: int, batch_size: int, seed: int, first_epoch: int, **crop
):
    """Endless `((images, boxes), targets)`, from the start of an epoch on.

    Epoch by epoch the order and the crops follow from `(seed, epoch)` alone, so a
    training that is resumed sees the batches it would have seen.

    Args:
        split: Where the images come from.
        classes: Number of classes.
        batch_size: Images in a batch.
        seed: Seed of order and crops.
        first_epoch: The epoch to begin with.
        **crop: `min_area` and `flip` of `mobilenet_tf.data.boxes.random_boxes`.
    """
    epoch = first_epoch
    while True:
        rng = np.random.default_rng([seed, epoch, 1])
        for batch in split.epoch(batch_size, seed=[seed, epoch, 0]):
            boxes = random_boxes(rng, batch.aspects, **crop)
            yield (batch.images, boxes), targets(batch.labels, classes)
        epoch += 1


def evaluation_batches(
    split: Split,
    classes: int,
    batch_size: int,
    central_fraction: float,
    multi_label: bool = False,
):
    """`((images, boxes), targets)` of the whole split, in order, once.

    Raises:
        ValueError: An image has no labels, or it has any number of them and
            `multi_label` is False, or the other way round.
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
    """Labels as a loss takes them.

    Args:
        labels: As in `Batch`: classes `(n,)`, or attributes `(n, classes)`.
        classes: Number of classes or attributes.

    Returns:
        float32 `(n, classes)`: one-hot; zeros where there is no label; attributes as
        they are.

    Raises:
        ValueError: There are other classes than `classes`.
    """
    several = labels.ndim == 2
    most = labels.shape[1] if several else labels.max(initial=-1) + 1
    if most > classes or (several and most < classes):
        raise ValueError(f"there are labels of {most} classes, expected {classes}")
    if several:
        return labels.astype("float32")
    found = np.zeros((len(labels), classes), "float32")
    (rows,) = np.nonzero(labels >= 0)
    found[rows, labels[rows]] = 1
    return found


@contextmanager
def own_errors(batches):
    """The batches; an error of theirs leaves the block as it was raised.

    Keras hands a generator to TensorFlow, which wraps what it raises.
    """
    errors = []

    def passed_on():
        try:
            yield from batches
        except ValueError as error:
            errors.append(error)
            raise

    try:
        yield passed_on()
    except Exception:
        if errors:
            raise errors[0] from None
        raise
