"""The folder of a training: its state after each epoch, and in the end the model."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import keras

from mobilenet_tf import files
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.models import keras_file

SNAPSHOT_FILE, MODEL_FILE = "snapshot.npz", "model.keras"


def prepare(workdir: str | os.PathLike) -> Path:
    """Make the folder where it does not exist.

    Returns:
        Path of the snapshot in it.

    Raises:
        ValueError: It is a file, or holds a model without the state of its training.
    """
    folder = Path(workdir)
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"workdir must be a folder, got the file {str(workdir)!r}")
    snapshot_file = folder / SNAPSHOT_FILE
    if (folder / MODEL_FILE).exists() and not snapshot_file.exists():
        raise ValueError(
            f"workdir {str(workdir)!r} holds a {MODEL_FILE} that is of no training; "
            "choose another folder"
        )
    files.make_folder(folder)
    return snapshot_file


def identity(
    model: keras.Model, precision: str, input_range: tuple[float, float]
) -> str:
    """What a training depends on beside its recipe, its data and its seed, as text.

    Names of layers are not part of it: Keras numbers those that have none.

    Args:
        model: Flat, see `mobilenet_tf.models.graph.flatten`.
        precision: Of the training.
        input_range: The model's inputs for black and for white.
    """
    layers = [
        (type(layer).__name__, {**layer.get_config(), "name": None})
        for layer in model.layers
    ]
    parts = [layers, precision, input_range]
    text = json.dumps(parts, sort_keys=True, default=lambda value: type(value).__name__)
    return hashlib.sha256(text.encode()).hexdigest()


def note_training(
    model: keras.Model,
    data: DataSet,
    class_names: tuple[str, ...] | None = None,
    teacher: keras.Model | None = None,
) -> None:
    """Note on a model what it was trained on, now and before.

    Args:
        model: The model, after the training.
        data: What it was trained on.
        class_names: Names of its classes; None means those of the data set.
        teacher: A network from whose outputs it learned: the photographs that the
            teacher was trained on count as training photographs of the model too.
    """
    digests = keras_file.train_digests(model) + keras_file.train_digests(teacher)
    name = f"{data.metadata.name} {data.metadata.version}"
    info = keras_file.TrainingInfo(
        class_names or data.class_names,
        name,
        tuple(dict.fromkeys([*digests, *data.train_digests])),
    )
    keras_file.set_training_info(model, info)


def save(model: keras.Model, workdir: str | os.PathLike) -> None:
    """Write the model with its class names into the folder."""
    keras_file.save_model(model, Path(workdir) / MODEL_FILE)
