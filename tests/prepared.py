"""Data sets written as users of TFDS write theirs."""

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from mobilenet_tf.data.tfds_source import from_tfds


def prepare(data_dir, name="squares", *, shape=(40, 40, 3), counts=(60, 20), **extra):
    """A TFDS data set written as its users write theirs, with real encoded images."""
    features = {
        "image": tfds.features.Image(shape=shape),
        "label": tfds.features.ClassLabel(names=["dark", "bright"]),
        **extra,
    }
    rng = np.random.default_rng(0)

    def example(index):
        size = [40 + 8 * (index % 3) if side is None else side for side in shape]
        level = 60 + 120 * (index % 2)
        image = np.clip(rng.normal(level, 20, size), 0, 255).astype("uint8")
        more = dict.fromkeys(extra, image)
        return {"image": image, "label": index % 2, **more}

    splits = {
        split: [example(index) for index in range(count)]
        for split, count in zip(("train", "validation"), counts, strict=False)
    }
    return tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        version="1.0.0",
        data_dir=str(data_dir),
        split_datasets={
            split: tf.data.Dataset.from_tensor_slices(
                {key: [row[key] for row in rows] for key in rows[0]}
            )
            if None not in shape
            else tf.data.Dataset.from_generator(
                lambda rows=rows: iter(rows),
                output_signature={
                    "image": tf.TensorSpec((None, None, shape[2]), tf.uint8),
                    "label": tf.TensorSpec((), tf.int64),
                },
            )
            for split, rows in splits.items()
        },
        features=tfds.features.FeaturesDict(features),
        disable_shuffling=True,
    )


def load(name, data_dir, **arguments):
    lines = []
    data = from_tfds(name, data_dir, report=lines.append, **arguments)
    return data, lines[0]


NAMES = ["dark", "bright", "noisy"]


def attributes(index):
    """Of the image of an index: dark or bright, and noisy or not."""
    return np.array([index % 2 == 0, index % 2 == 1, index // 2 % 2 == 1])


def _write(data_dir, name, features, say, shapes):
    """A TFDS data set whose examples have what `say(index)` gives beside the image."""

    def example(index):
        rng = np.random.default_rng(index)
        _, bright, noisy = attributes(index)
        noise = rng.normal(0, 60 if noisy else 4, (36, 36, 3))
        image = np.clip(60 + 120 * bright + noise, 0, 255).astype("uint8")
        return {"image": image, **say(index)}

    shapes = {"image": tf.TensorSpec((36, 36, 3), tf.uint8), **shapes}
    splits = {
        split: tf.data.Dataset.from_generator(
            lambda count=count: map(example, range(count)), output_signature=shapes
        )
        for split, count in (("train", 96), ("validation", 32))
    }
    features = {"image": tfds.features.Image(shape=(36, 36, 3)), **features}
    tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        version="1.0.0",
        data_dir=str(data_dir),
        split_datasets=splits,
        features=tfds.features.FeaturesDict(features),
        disable_shuffling=True,
    )


def prepare_attributes(folder):
    """The same images with booleans, with a sequence of labels, and with nothing."""
    _write(
        folder,
        "booleans",
        {"said": dict.fromkeys(NAMES, np.bool_)},
        lambda index: {"said": dict(zip(NAMES, attributes(index), strict=True))},
        {"said": dict.fromkeys(NAMES, tf.TensorSpec((), tf.bool))},
    )
    _write(
        folder,
        "sequences",
        {"said": tfds.features.Sequence(tfds.features.ClassLabel(names=NAMES))},
        lambda index: {"said": np.flatnonzero(attributes(index)).repeat(2)},
        {"said": tf.TensorSpec((None,), tf.int64)},
    )
    _write(folder, "nothing", {}, lambda index: {}, {})
