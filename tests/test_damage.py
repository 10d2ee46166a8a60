"""Damaged files: what was written in them, or one error that names the file."""

import keras
import numpy as np
import pytest
from damage import Format, outcomes
from shared_fixtures import striped_images
from test_reporting import RESULTS

from experiments.trials import records
from mobilenet_tf.data import arrays
from mobilenet_tf.data.arrays import ArraySplit
from mobilenet_tf.data.dataset import DataSet, DatasetMetadata
from mobilenet_tf.files import archive
from mobilenet_tf.models import conventions, keras_file, weights_file
from mobilenet_tf.training import snapshot, teacher_outputs

INFO = keras_file.TrainingInfo(("chat", "œuf"), "photos 1.0", ("ab" * 32,))


def network():
    images = keras.Input((4, 4, 2), name="image")
    x = keras.layers.Conv2D(3, 3, name="conv")(images)
    x = keras.layers.Flatten(name="flat")(x)
    return keras.Model(images, keras.layers.Dense(2, name="dense")(x), name="small")


def content_of(model):
    """What a network is, as values that can be compared."""
    weights = [array.tobytes() for array in model.get_weights()]
    return model.to_json(), weights, keras_file.training_info(model)


def record_file(folder):
    path = folder / "one.json"
    records.write(path, RESULTS[0])
    return Format(path, records.read)


def record_lines(folder):
    for index, result in enumerate(RESULTS):
        records.write(folder / f"{index}.json", result)
    path = folder / "all.jsonl"
    records.collect(folder, path)

    def same(found, expected):
        """Whole lines may be lost, as if their trials had not been trained."""
        return all(record in expected for record in found)

    return Format(path, records.read, same=same)


def measurements_file(folder):
    path = folder / "steps.json"
    records.write(path, {"commit": "abc", "steps": [{"seconds": 1.25}, {"seconds": 2}]})
    return Format(path, lambda path: records.read_list(path, "steps"))


def snapshot_file(folder):
    path = folder / "trial.snapshot.npz"
    rng = np.random.default_rng(0)
    values = [rng.normal(size=shape).astype("float32") for shape in ((3, 4), (5,), ())]
    snapshot.save(path, values, {"epoch": 2, "history": [{"loss": 0.5}]})

    def read(path):
        saved, metadata = snapshot.load(path)
        assert snapshot.load_metadata(path) == metadata
        return [(array.shape, array.tobytes()) for array in saved], metadata

    return Format(path, read)


def arrays_file(folder):
    path = folder / "images.npz"
    splits = [ArraySplit(striped_images(4, 6, seed)) for seed in (0, 1)]
    names = ("stripes", "1.0.0", "train", "test", 4, 4, ("along", "across"), 6, 6)
    arrays.save_arrays(path, DataSet(*splits, DatasetMetadata(*names)))

    def read(path):
        data = arrays.load_arrays(path)
        contents = (data.train.contents, data.evaluation.contents)
        return data.metadata, [
            part.tobytes() for each in contents for part in vars(each).values()
        ]

    return Format(path, read)


def teacher_outputs_file(folder):
    path = folder / "epoch0000.npz"
    rng = np.random.default_rng(0)
    logits = {f"step{i:05d}": rng.normal(size=(4, 3)).astype("f4") for i in range(3)}
    archive.save_arrays(path, logits, {"epoch": 0})
    return Format(path, lambda path: [a.tobytes() for a in teacher_outputs.read(path)])


def model_file(folder):
    path = folder / "model.keras"
    model = network()
    keras_file.set_training_info(model, INFO)
    keras_file.save_model(model, path)
    return Format(path, lambda path: content_of(keras_file.load_model(path)))


def weights_of(path):
    stored = weights_file.read(path)
    values = {
        key: [array.tobytes() for array in arrays]
        for key, arrays in stored.arrays.items()
    }
    return values, conventions.of_file(stored)


def weights_of_model_file(folder):
    return Format(model_file(folder).path, weights_of)


def weights_of_keras_3(folder):
    path = folder / "model.weights.h5"
    network().save_weights(path)
    return Format(path, weights_of, checked=False)


def codec_file(folder):
    from mobilenet_tf import codec

    path = folder / "model.mntc"
    codec.save(network(), path)
    return Format(path, lambda path: content_of(codec.load(path)))


def difference_file(folder):
    from mobilenet_tf import codec

    old, new, path = (folder / name for name in ("old", "new", "delta"))
    old.write_bytes(bytes(range(256)) * 8)
    new.write_bytes(bytes(range(255, -1, -1)) + bytes(range(256)) * 7)
    codec.delta(old, new, path)

    def read(path):
        codec.apply(old, path, folder / "made")
        return (folder / "made").read_bytes()

    return Format(path, read)


def timm_file(folder):
    from safetensors.numpy import save_file
    from timm_layout import tensors

    path = folder / "model.safetensors"
    save_file(tensors(), path)

    def read(path):
        from mobilenet_tf.models import timm_weights

        stored = timm_weights.read(path)
        return {key: [array.tobytes() for array in stored[key]] for key in stored}

    return Format(path, read, checked=False)


# The share of the examples, and the packages that are needed.
FORMATS = {
    "record": (record_file, 16),
    "lines of records": (record_lines, 10),
    "measurements": (measurements_file, 10),
    "snapshot": (snapshot_file, 16),
    "arrays": (arrays_file, 16),
    "outputs of a teacher": (teacher_outputs_file, 16),
    "network": (model_file, 4),
    "weights of a network": (weights_of_model_file, 10),
    "weights": (weights_of_keras_3, 6),
    "codec": (codec_file, 10, "constriction"),
    "difference": (difference_file, 10, "constriction"),
    "timm": (timm_file, 2, "safetensors"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_damage(name, tmp_path, examples):
    make, share, *packages = FORMATS[name]
    for package in packages:
        pytest.importorskip(package)
    counts = outcomes(make(tmp_path), share * examples)
    print(f"{name}: {counts.total():,} damaged files, {dict(counts)}")
    assert counts["an error"] > counts.total() / 3
