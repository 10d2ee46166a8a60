"""Data sets and networks that several files of tests share."""

import socket
from pathlib import Path

import compressible
import keras
import numpy as np
import pytest

import mobilenet_tf
from mobilenet_tf.data.arrays import ArraySplit, save_arrays
from mobilenet_tf.data.dataset import Batch, DataSet, DatasetMetadata
from mobilenet_tf.training import classifier

# An untrained network whose weights are most of any file.
SMALL = {
    "alpha": 0.25,
    "base_resolution": 64,
    "classes": 3,
    "blocks": ((128, 2), (512, 2), (1024, 2), (1024, 1)),
}


def striped_images(count: int, side: int, seed: int) -> Batch:
    """Two classes that a small network can separate: horizontal, vertical stripes."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    wave = np.sin(np.arange(side) * np.pi / 2)[None, :] * 60
    images = np.empty((count, side, 3, side), "uint8")
    for index, label in enumerate(labels):
        stripes = np.broadcast_to(wave if label else wave.T, (side, side))
        noisy = 128 + stripes[:, None, :] + rng.normal(0, 20, (side, 3, side))
        images[index] = np.clip(noisy, 0, 255)
    return Batch(images, np.ones(count, "float32"), labels.astype("int64"))


@pytest.fixture(scope="session")
def small() -> keras.Model:
    """An untrained MobileNet of four blocks and three classes."""
    keras.utils.set_random_seed(1)
    return mobilenet_tf.build(**SMALL)


@pytest.fixture(scope="session")
def stripes() -> DataSet:
    """A data set of 96 + 40 images, 36 px, two classes."""
    metadata = DatasetMetadata(
        name="stripes",
        version="1.0.0",
        train_split="train",
        evaluation_split="validation",
        train_size=96,
        evaluation_size=40,
        class_names=("along", "across"),
        side=36,
        base_resolution=32,
    )
    return DataSet(
        ArraySplit(striped_images(96, 36, 0)),
        ArraySplit(striped_images(40, 36, 1)),
        metadata,
    )


@pytest.fixture(scope="session")
def stripes_file(stripes, tmp_path_factory) -> Path:
    """The same data set as a file of decoded arrays."""
    path = tmp_path_factory.mktemp("arrays") / "stripes.npz"
    save_arrays(path, stripes)
    return path


@pytest.fixture(scope="session")
def trained(stripes) -> keras.Model:
    """A trained network for the tests of compression."""
    model = compressible.mobilenet()
    classifier.fit(model, stripes, compressible.LEARNING, report=None)
    return model


@pytest.fixture(scope="session")
def squares(tmp_path_factory) -> str:
    """The directory of a prepared TFDS data set of 60 + 20 images."""
    from prepared import prepare  # imports TFDS, which other backends do without

    path = tmp_path_factory.mktemp("tfds")
    prepare(path)
    return str(path)


@pytest.fixture(scope="session")
def attribute_sets(tmp_path_factory) -> str:
    """The directory of TFDS data sets of 96 + 32 images with attributes, or without."""
    from prepared import prepare_attributes

    path = tmp_path_factory.mktemp("attributes")
    prepare_attributes(path)
    return str(path)


@pytest.fixture(scope="session")
def booleans(attribute_sets) -> DataSet:
    """The one whose attributes are booleans."""
    from prepared import load

    return load("booleans", attribute_sets)[0]


@pytest.fixture
def port():
    """A port that nothing listens at."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]
