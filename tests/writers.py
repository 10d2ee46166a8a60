"""Everything that writes a file, or a folder, by the one way that files appear."""

import functools
import types

import numpy as np
from shared_fixtures import striped_images
from test_reporting import RESULTS
from trainable import small_model

from experiments.report import document, drawing
from experiments.trials import records
from mobilenet_tf import codec, files
from mobilenet_tf.cli import fit
from mobilenet_tf.data import arrays
from mobilenet_tf.data.arrays import ArraySplit
from mobilenet_tf.data.dataset import DataSet, DatasetMetadata
from mobilenet_tf.export import publishing
from mobilenet_tf.models import download, keras_file
from mobilenet_tf.training import confusion, snapshot
from mobilenet_tf.training.loop import Progress

METADATA = DatasetMetadata(
    *("stripes", "1.0.0", "train", "test", 4, 4, ("along", "across"), 16, 16)
)


model = functools.cache(small_model)


def save_arrays(path, source):
    splits = [ArraySplit(striped_images(4, 16, seed)) for seed in (0, 1)]
    arrays.save_arrays(path, DataSet(*splits, METADATA))


def write_delta(path, source):
    rng = np.random.default_rng(0)
    for name in ("old", "new"):
        (source / name).write_bytes(rng.bytes(9000))
    codec.delta(source / "old", source / "new", path)


def collect(path, source):
    for index, result in enumerate(RESULTS):
        records.write(source / f"{index}.json", result)
    records.collect(source, path)


def fill_document(path, source):
    document.replace_blocks(path, {"table": "x" * 9000})


def cached(path, source):
    (source / "published").write_bytes(bytes(9000))
    download.cached((source / "published").as_uri(), path)


def draw(path, source):
    panels = [lambda axes: axes.plot([1, 2])]
    drawing.save(str(path.with_suffix("")), panels, "A line")


def export_folder(path, source):
    """As a SavedModel: TensorFlow's own code writes the files."""
    import tensorflow as tf

    module = tf.Module()
    module.values = tf.Variable(tf.zeros(9000))
    publishing.publish(
        path,
        types.SimpleNamespace(network=None),
        format_name="saved_model",
        pixels=None,
        write=lambda partial: tf.saved_model.save(module, str(partial)),
        run=None,
        tolerance=None,
    )


def history(path, source):
    logs = [{"loss": 0.5, "top1": 0.5}] * 900
    fit._write_history(path, Progress(history=logs))


def snapshot_of(path, source):
    snapshot.save(path, [np.zeros((50, 50), "float32")], {"epoch": 1})


# By the name of the file: called with its path, and a folder for what is read.
WRITERS = {
    "text.txt": lambda path, source: files.write(path, "x" * 9000),
    "record.json": lambda path, source: records.write(path, RESULTS[0]),
    "records.jsonl": collect,
    "document.md": fill_document,
    "trial.snapshot.npz": snapshot_of,
    "images.npz": save_arrays,
    "model.keras": lambda path, source: keras_file.save_model(model(), path),
    "model.mntc": lambda path, source: codec.save(model(), path),
    "update.delta": write_delta,
    "history.csv": history,
    "confusion.png": lambda path, source: confusion.save_picture(
        np.eye(2, dtype=int), "ab", path
    ),
    "figure.png": draw,
    "weights.h5": cached,
}
# What a file must hold before it is written.
BEFORE = {"document.md": "<!-- begin table -->\n<!-- end table -->"}
