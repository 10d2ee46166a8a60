"""From stored images to what a training step takes: order, crops, one-hot labels."""

from contextlib import contextmanager

import numpy as np

from mobilenet_tf.data.boxes import central_boxes, random_boxes
from mobilenet_tf.data.dataset import Split


def training_batches(
    split: Split, classes: int, batch_size: int, seed: int, first_epoch: int, **crop
):
    """Endless `((images, boxes), one-hot labels)`, from the start of an epoch on.

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
    one_hot = np.eye(classes, dtype="float32")
    epoch = first_epoch
    while True:
        rng = np.random.default_rng([seed, epoch, 1])
        for batch in split.epoch(batch_size, seed=[seed, epoch, 0]):
            boxes = random_boxes(rng, batch.aspects, **crop)
            yield (batch.images, boxes), one_hot[batch.labels]
        epoch += 1


def evaluation_batches(
    split: Split, classes: int, batch_size: int, central_fraction: float
):
    """`((images, boxes), one-hot labels)` of the whole split, in order, once."""
    one_hot = np.eye(classes, dtype="float32")
    for batch in split.epoch(batch_size):
        boxes = central_boxes(len(batch), central_fraction)
        yield (batch.images, boxes), one_hot[batch.labels]


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
