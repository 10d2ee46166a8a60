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
