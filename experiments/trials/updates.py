"""Updates of networks in the field: trained once, their bytes kept as records."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np

import mobilenet_tf
from experiments.trials import differences
from mobilenet_tf import codec, compression, training
from mobilenet_tf.compression import kernels
from mobilenet_tf.compression.fine_tuning import copy_of
from mobilenet_tf.data.arrays import ArraySplit
from mobilenet_tf.data.dataset import Batch, DataSet
from mobilenet_tf.export.tflite import int8
from mobilenet_tf.training.recipes import COMPRESS, FINE_TUNE

RECORDS = "updates"  # see `differences`
ALPHA = 0.25
CLUSTERS = 32
FIRST = dataclasses.replace(FINE_TUNE, name="first", learning_rate=0.02, epochs=4)
AGAIN = dataclasses.replace(COMPRESS, name="again", epochs=2)
# How a network is trained for an update: `compression.update`'s arguments. The first
# is training as usual, after which the network is compressed anew.
ANEW = "all, compressed anew"
TRAININGS: dict[str, dict] = {
    ANEW: {},
    "all, on the old values": {},
    "all, 10 % of the weights": {"share": 0.1},
    "all, 2 % of the weights": {"share": 0.02},
    "normalization": {"part": "normalization"},
    "classifier": {"part": "classifier"},
}
STORIES = ("a class is added", "the data drift")


def rounded_to_int8(model: keras.Model) -> keras.Model:
    """A network whose kernels are whole multiples of a scale per channel."""
    result = copy_of(model)
    changed = {}
    for name, kernel in kernels.by_name(model).items():
        axis = -1 if kernel.shape[-1] > 1 else -2
        channels = np.moveaxis(kernel, axis, 0)
        scales = int8.best_scales(channels)
        multiples = int8.rounded(channels, scales).astype("float32")
        product = multiples * scales.reshape(-1, *[1] * (kernel.ndim - 1))
        changed[name] = np.moveaxis(product, 0, axis) + np.float32(0)
    kernels.replace(result, changed)
    return result


def clustered(model: keras.Model) -> keras.Model:
    """A network whose kernels have 32 values each, or as many as they have weights."""
    few = [
        name
        for name, kernel in kernels.by_name(model).items()
        if len(np.unique(kernel)) < 2 * CLUSTERS
    ]
    return compression.cluster(
        model, clusters=CLUSTERS, skip=few, report=lambda report: None
    )


COMPRESSIONS: dict[str, Callable[[keras.Model], keras.Model]] = {
    "8 bits": rounded_to_int8,
    "32 values": clustered,
}


def drifted(data: DataSet, seed: int = 0) -> DataSet:
    """Photographs of a camera that is out of focus, in less light, with noise."""
    rng = np.random.default_rng(seed)

    def change(split):
        images = split.contents.images.astype("float32")
        for axis in (1, 3):
            images = (images + np.roll(images, 1, axis) + np.roll(images, -1, axis)) / 3
        images *= 0.5
        images += rng.normal(0, 8, images.shape).astype("float32")
        contents = dataclasses.replace(
            split.contents, images=images.round().clip(0, 255).astype("uint8")
        )
        return ArraySplit(contents)

    metadata = dataclasses.replace(data.metadata, name=f"{data.metadata.name}, drifted")
    return DataSet(change(data.train), change(data.evaluation), metadata)


def without_last_class(data: DataSet) -> DataSet:
    """The images of all classes but the last."""

    def fewer(split):
        chosen = split.contents.labels < data.classes - 1
        contents = split.contents
        return ArraySplit(
            Batch(
                contents.images[chosen],
                contents.aspects[chosen],
                contents.labels[chosen],
            )
        )

    train, evaluation = fewer(data.train), fewer(data.evaluation)
    metadata = dataclasses.replace(
        data.metadata,
        name=f"{data.metadata.name}, without {data.class_names[-1]}",
        train_size=train.size,
        evaluation_size=evaluation.size,
        class_names=data.class_names[:-1],
    )
    return DataSet(train, evaluation, metadata)


def grown(model: keras.Model, classes: int) -> keras.Model:
    """A network with further classes, of which it knows nothing yet."""
    result = _build(model.input_shape[1], classes)
    weights = [
        array
        if array.shape == wider.shape
        else np.pad(
            array, [(0, b - a) for a, b in zip(array.shape, wider.shape, strict=True)]
        )
        for array, wider in zip(model.get_weights(), result.get_weights(), strict=True)
    ]
    result.set_weights(weights)
    return result


def measure_all(
    data: DataSet, weights: str, results: str | Path, workdir: Path
) -> None:
    """Train and measure what has no record yet; each update is written at once.

    Args:
        data: All classes, as they are.
        weights: File of ImageNet weights of the network.
        results: Folder of results.
        workdir: Folder for trained networks.
    """
    done = differences.read(results, RECORDS)
    known = {(one["story"], one["network"], one["training"]) for one in done}
    for record in _updates(data, weights, workdir, known):
        done.append(record)
        differences.write(results, RECORDS, data, done)
        best = min((way["bytes"], name) for name, way in record["ways"].items())
        print(
            f"{record['story']}; {record['network']}; {record['training']}: top-1 "
            f"{record['top1']:.4f}, smallest {best}",
            flush=True,
        )


def _updates(data, weights, workdir, known) -> Iterator[dict]:
    for story in STORIES:
        missing = {
            compressed: names
            for compressed in COMPRESSIONS
            if (names := [n for n in TRAININGS if (story, compressed, n) not in known])
        }
        if not missing:
            continue
        adds_class = story == STORIES[0]
        before = without_last_class(data) if adds_class else data
        after = data if adds_class else drifted(data)
        base = _base(before, weights, workdir / f"{before.classes}_classes.keras")
        for compressed, names in missing.items():
            compress = COMPRESSIONS[compressed]
            old = compress(base)
            codec.save(old, workdir / "old.mntc")
            start = grown(old, after.classes) if adds_class else old
            floats = grown(base, after.classes) if adds_class else base
            before_top1 = training.evaluate(old, before).top1
            stale_top1 = training.evaluate(start, after).top1
            for name in names:
                anew = name == ANEW
                updated = compression.update(
                    floats if anew else start,
                    after,
                    AGAIN,
                    report=lambda report: None,
                    **TRAININGS[name],
                )
                updated = compress(updated) if anew else updated
                codec.save(updated, workdir / "new.mntc")
                files = [
                    (workdir / file).read_bytes() for file in ("old.mntc", "new.mntc")
                ]
                yield {
                    "story": story,
                    "network": compressed,
                    "training": name,
                    "top1_before": before_top1,
                    "top1_not_updated": stale_top1,
                    "top1": training.evaluate(updated, after).top1,
                    "float32_bytes": 4 * updated.count_params(),
                    "file_bytes": len(files[1]),
                    "ways": differences.measure(*files),
                }


def _base(data, weights, file):
    """The network in the field, in float32; trained once."""
    if file.exists():
        return mobilenet_tf.load_model(file)
    keras.utils.set_random_seed(0)
    model = _build(data.metadata.base_resolution, data.classes, weights=weights)
    training.fit(model, data, FIRST, report=None)
    mobilenet_tf.save_model(model, file)
    return model


def _build(side, classes, **options):
    return mobilenet_tf.build(ALPHA, base_resolution=side, classes=classes, **options)
