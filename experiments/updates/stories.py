"""What happens to a network in the field: the data before an update, and after it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import keras
import numpy as np

from mobilenet_tf.data.arrays import ArraySplit
from mobilenet_tf.data.dataset import Batch, DataSet, Split

# Of the drift: passes of a mean over three pixels, light, and noise in grey levels.
BLUR_PASSES, LIGHT, NOISE = 1, 0.5, 8.0


def unchanged(data: DataSet) -> DataSet:
    """The data as they are."""
    return data


def without_last_class(data: DataSet) -> DataSet:
    """The images of all classes but the last."""

    def fewer(split):
        contents = contents_of(split)
        chosen = contents.labels < data.classes - 1
        fields = (contents.images, contents.aspects, contents.labels)
        return ArraySplit(Batch(*(field[chosen] for field in fields)))

    train, evaluation = fewer(data.train), fewer(data.evaluation)
    metadata = dataclasses.replace(
        data.metadata,
        name=f"{data.metadata.name}, without {data.class_names[-1]}",
        train_size=train.size,
        evaluation_size=evaluation.size,
        class_names=data.class_names[:-1],
    )
    return DataSet(train, evaluation, metadata)


def drifted(data: DataSet) -> DataSet:
    """Photographs of a camera that is out of focus, in less light, with noise.

    Equal images are changed equally in every call.
    """
    rng = np.random.default_rng(0)

    def change(split):
        contents = contents_of(split)
        changed = np.empty_like(contents.images)
        for index, image in enumerate(contents.images):  # row, channel, column
            changed[index] = _darker(_blurred(image.astype("float32")), rng)
        return ArraySplit(dataclasses.replace(contents, images=changed))

    metadata = dataclasses.replace(data.metadata, name=f"{data.metadata.name}, drifted")
    return DataSet(change(data.train), change(data.evaluation), metadata)


def _blurred(image):
    for _ in range(BLUR_PASSES):
        for axis in (0, 2):
            ends = [(1, 1) if other == axis else (0, 0) for other in range(3)]
            wide = np.pad(image, ends, "edge")
            count = image.shape[axis]
            image = sum(wide.take(range(k, k + count), axis) for k in range(3)) / 3
    return image


def _darker(image, rng):
    noise = rng.normal(0, NOISE, image.shape).astype("float32")
    return (LIGHT * image + noise).round().clip(0, 255)


def contents_of(split: Split) -> Batch:
    """All images of a split in memory.

    Raises:
        ValueError: They are streamed.
    """
    if not isinstance(split, ArraySplit):
        raise ValueError(
            "data_mode must be 'arrays' with measure=True: updates take images "
            "from memory, and these are streamed"
        )
    return split.contents


@dataclasses.dataclass(frozen=True)
class Story:
    """Why a network is updated.

    Attributes:
        before: The data that the network in the field was trained on, of all data.
        after: The data that the update is trained and evaluated on.
    """

    before: Callable[[DataSet], DataSet]
    after: Callable[[DataSet], DataSet]


STORIES = {
    "a class is added": Story(without_last_class, unchanged),
    "the photographs drift": Story(unchanged, drifted),
}


def grown(model: keras.Model, build: Callable[[], keras.Model]) -> keras.Model:
    """A network with further classes, of which it knows nothing yet.

    Args:
        model: The network with fewer classes.
        build: Builds the one with more. Its new biases stay as they are, as a ReLU
            after the classifier does not learn from 0; its other new weights are zero.
    """
    result = build()

    def wider(array, fresh):
        if array.ndim == 1:
            return np.concatenate([array, fresh[len(array) :]])
        sizes = zip(array.shape, fresh.shape, strict=True)
        return np.pad(array, [(0, new - old) for old, new in sizes])

    pairs = zip(model.get_weights(), result.get_weights(), strict=True)
    result.set_weights([wider(array, fresh) for array, fresh in pairs])
    return result
