"""Shared fixtures: command lines, the reference material, small data sets, networks."""

import gc
import importlib
import os
import sys
from pathlib import Path

# Set before the modules below import Keras.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
if "PYTEST_XDIST_WORKER" in os.environ:
    # There is a worker per core; more threads would compete for the same cores.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import compressible
import hypothesis
import keras
import numpy as np
import pytest
from absl.flags import FLAGS

import mobilenet_tf
from mobilenet_tf.data.arrays import ArraySplit, save_arrays
from mobilenet_tf.data.dataset import Batch, DataSet, DatasetMetadata
from mobilenet_tf.training import classifier

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


def pytest_addoption(parser):
    parser.addoption(
        "--thorough", action="store_true", help="include the tests that take long"
    )


def pytest_configure(config):
    """Fewer examples of each property, unless --thorough is given; no time limit."""
    examples = 100 if config.getoption("--thorough") else 25
    hypothesis.settings.register_profile("suite", max_examples=examples, deadline=None)
    hypothesis.settings.load_profile("suite")


def pytest_collection_finish():
    """Collect garbage less often, and never among what the imports have left.

    There are a million such objects, and tracing a network makes so many more that a
    fifth of the time would pass in looking through all of them again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_collection_modifyitems(config, items):
    """Deselect tests that take long or are of `make test-jax`, unless --thorough."""
    left_out = set()
    if not config.getoption("--thorough"):
        left_out.add("thorough")
        if os.environ.get("KERAS_BACKEND") != "jax":
            left_out.add("jax")
    items[:] = [
        item
        for item in items
        if left_out.isdisjoint(mark.name for mark in item.iter_markers())
    ]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference material beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("needs ../shared, the reference material beside the checkout")
    return SHARED


def parse_flags(*arguments) -> list[str]:
    """Parse a command line after resetting all flags; returns what is left of it."""
    for name in FLAGS:
        FLAGS[name].unparse()
    return FLAGS(["program", *map(str, arguments)])


def modules_with_flags() -> set[str]:
    """The modules of this project that have defined flags."""
    packages = ("benchmarks.", "experiments.", "mobilenet_tf.")
    modules = FLAGS.flags_by_module_dict().items()
    return {name for name, flags in modules if flags and name.startswith(packages)}


@pytest.fixture
def own_flags():
    """Removes the flags that a test defines: absl has one set, where programs clash."""
    before = modules_with_flags()
    yield
    for name in modules_with_flags() - before:
        for flag in list(FLAGS.flags_by_module_dict()[name]):
            delattr(FLAGS, flag.name)
        if not hasattr(sys.modules[name], "define"):
            del sys.modules[name]  # defines its flags when it is imported again


@pytest.fixture
def experiment_flags(own_flags):
    """The flags of the experiments."""
    from experiments.harness import flags

    flags.define()
    return FLAGS


@pytest.fixture
def run_program(own_flags, capsys):
    """Runs the `main` of a module that defines flags, in this process.

    `run_program("package.module", "--flag=1", "argument")` returns what it prints.
    """

    def run(name, *arguments):
        module = importlib.import_module(name)
        capsys.readouterr()
        module.main(parse_flags(*arguments))
        return capsys.readouterr().out

    return run


@pytest.fixture
def eagerly():
    """Training without tracing: for a few steps that are not the point of a test."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def outputs_of(model, images) -> np.ndarray:
    """What a model predicts; `model.predict` would compile it first, for seconds."""
    outputs = model(images, training=False)
    return outputs.numpy() if hasattr(outputs, "numpy") else np.asarray(outputs)


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
    """An untrained MobileNet of three classes."""
    keras.utils.set_random_seed(1)
    return mobilenet_tf.build(0.25, base_resolution=64, classes=3)


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
    classifier.fit(model, stripes, compressible.LEARNING)
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
