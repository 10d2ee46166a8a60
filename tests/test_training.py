"""The training loop: it learns, stops, and goes on."""

import dataclasses
import subprocess
import sys

import keras
import numpy as np
import pytest
from conftest import untraced
from trainable import QUICK, TWO_BLOCKS, TWO_STAGES, equal, small_model

import mobilenet_tf
from mobilenet_tf.data.boxes import central_boxes
from mobilenet_tf.models import keras_file
from mobilenet_tf.training import classifier, snapshot
from mobilenet_tf.training.cropping import CropResize
from mobilenet_tf.training.evaluation import evaluate
from mobilenet_tf.training.recipe import Recipe
from mobilenet_tf.training.recipes import RECIPES

ONCE = dataclasses.replace(QUICK, epochs=1)


def test_network_that_flattens_keeps_its_side(stripes, eagerly):
    images = keras.Input((32, 32, 3))
    x = keras.layers.Flatten()(keras.layers.MaxPooling2D(8)(images))
    model = keras.Model(images, keras.layers.Dense(2, activation="softmax")(x))
    done = classifier.fit(model, stripes, QUICK, input_range=(0, 1))
    assert done.epoch == QUICK.epochs


def test_squeezenet_leaves_ln_classes(stripes):
    """A network of ReLUs without normalisation can be stuck at ln(2) = 0.693."""
    keras.utils.set_random_seed(0)
    model = mobilenet_tf.build_squeezenet(resolution=36, classes=2)
    recipe = dataclasses.replace(RECIPES["plain"], epochs=6, side_steps=(1.0,))
    progress = classifier.fit(
        model, stripes, dataclasses.replace(recipe, batch_size=16)
    )
    assert progress.history[-1]["loss"] < 0.5


def test_learns_and_is_reproducible(stripes):
    one, other = small_model(), small_model()
    recipe = Recipe("longer", "sgd", 0.05, "cosine", epochs=8, batch_size=8)
    progress = classifier.fit(one, stripes, recipe)
    classifier.fit(other, stripes, recipe)
    assert equal(one, other)
    assert progress.epoch == len(progress.history) == 8
    metrics = evaluate(one, stripes.evaluation, stripes.side).as_dict()
    assert metrics["top1"] > 0.9
    assert "top5" not in metrics  # of two classes it would always be 1


@pytest.fixture(scope="module")
def whole(stripes):
    """A network that was trained without an interruption."""
    model = small_model()
    with untraced():
        classifier.fit(model, stripes, TWO_STAGES, report=None)
    return model


def test_evaluate_equals_predictions(whole, stripes, eagerly):
    contents = stripes.evaluation.contents
    crops = CropResize(32)([contents.images, central_boxes(40)])
    top1 = (np.argmax(whole(crops), axis=1) == contents.labels).mean()
    metrics = evaluate(whole, stripes.evaluation, stripes.side).as_dict()
    np.testing.assert_allclose(metrics["top1"], top1, atol=1e-6)


@pytest.mark.parametrize("stop", [1, 2, 4])  # in a stage, between two, at the end
def test_resumed_training_ends_with_the_same_weights(
    whole, stripes, tmp_path, stop, eagerly
):
    class StopError(Exception):
        pass

    def interrupt(progress):
        if progress.epoch == stop:
            raise StopError

    path = tmp_path / "snapshot.npz"
    resumed = small_model()
    with pytest.raises(StopError):
        classifier.fit(
            small_model(), stripes, TWO_STAGES, snapshot_path=path, on_epoch=interrupt
        )
    epochs = []
    classifier.fit(
        resumed,
        stripes,
        TWO_STAGES,
        snapshot_path=path,
        on_epoch=lambda progress: epochs.append(progress.epoch),
    )
    assert epochs == list(range(stop + 1, 5))
    assert equal(whole, resumed)


def test_damaged_snapshot(tmp_path):
    path = tmp_path / "snapshot.npz"
    snapshot.save(path, [np.arange(1000.0)], {"epoch": 1})
    assert snapshot.load_metadata(path) == {"epoch": 1}
    content = path.read_bytes()
    path.write_bytes(content[:-100])
    with pytest.raises(ValueError, match=r"is damaged .* delete it to train again"):
        snapshot.load(path)
    assert snapshot.load(tmp_path / "none.npz") is None


def test_snapshot_of_another_model(stripes, tmp_path, eagerly):
    path = tmp_path / "snapshot.npz"
    classifier.fit(small_model(), stripes, ONCE, snapshot_path=path)
    other = mobilenet_tf.build(0.5, base_resolution=32, classes=2, blocks=TWO_BLOCKS)
    with pytest.raises(ValueError, match="of another model or optimizer"):
        classifier.fit(other, stripes, ONCE, snapshot_path=path)


def test_snapshot_of_another_training(stripes, tmp_path, eagerly):
    path = str(tmp_path / "snapshot.npz")
    classifier.fit(small_model(), stripes, ONCE, snapshot_path=path)
    other = dataclasses.replace(ONCE, learning_rate=0.01)
    for recipe, more in ((other, {}), (ONCE, {"seed": 1}), (ONCE, {"settings": "x"})):
        with pytest.raises(ValueError, match="is of another training; delete it"):
            classifier.fit(small_model(), stripes, recipe, snapshot_path=path, **more)
    found = classifier.fit(small_model(), stripes, ONCE, snapshot_path=path)
    assert found.epoch == ONCE.epochs


def test_bad_fit_arguments(stripes, tmp_path):
    for given, message in (
        ({"recipe": "best"}, "recipe must be one of .*, got 'best'"),
        ({"recipe": None}, "recipe must be a Recipe, got None"),
        ({"data": None}, "data must be a DataSet, got None"),
        ({"model": "model.keras"}, "model must be a Model, got 'model.keras'"),
        ({"on_epoch": None}, "on_epoch must be a function, got None"),
        (
            {"snapshot_path": tmp_path / "a" / "b.npz"},
            "must be in an existing folder, got",
        ),
    ):
        arguments = {"model": small_model(), "data": stripes, "recipe": QUICK, **given}
        with pytest.raises(ValueError, match=message):
            classifier.fit(**arguments)
    for fraction in (0, 1.5):
        with pytest.raises(ValueError, match=r"central_fraction must be .* \(0, 1\]"):
            evaluate(small_model(), stripes.evaluation, 36, fraction)
    grey = keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Flatten()])
    with pytest.raises(ValueError, match=r"take \(batch, side, side, 3\) .* 32, 32, 1"):
        classifier.fit(grey, stripes, QUICK)
    with pytest.raises(ValueError, match="precision must be one of 'auto', 'float32'"):
        classifier.fit(small_model(), stripes, QUICK, precision="float16")
    model = mobilenet_tf.build(0.25, base_resolution=32, classes=3)
    with pytest.raises(ValueError, match="model has 3 classes, the data set 2"):
        classifier.fit(model, stripes, QUICK)
    with pytest.raises(ValueError, match="model has 3 classes, the data set 2"):
        evaluate(model, stripes)
    model = small_model()
    keras_file.set_training_info(model, keras_file.TrainingInfo(("b", "a")))
    with pytest.raises(ValueError, match=r"must have the classes .* order: b, a; got "):
        evaluate(model, stripes)


def test_mirrored_training():
    """Two replicas on two logical CPUs; they must exist before TensorFlow starts."""
    program = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, two)
import sys; sys.path[:0] = ["tests"]
import keras, mobilenet_tf
from shared_fixtures import striped_images
from mobilenet_tf.data.arrays import ArraySplit
from mobilenet_tf.data.dataset import DataSet, DatasetMetadata
from mobilenet_tf.training import classifier, distribution
from mobilenet_tf.training.recipe import Recipe
split = ArraySplit(striped_images(64, 36, 0))
names = ("along", "across")
metadata = DatasetMetadata("s", "1", "train", "train", 64, 64, names, 36, 32)
recipe = Recipe("r", "sgd", 0.05, "cosine", epochs=6, batch_size=16)
with distribution.scope(True):
    assert tf.distribute.get_strategy().num_replicas_in_sync == 2
    model = mobilenet_tf.build(
        0.25, base_resolution=32, classes=2, blocks=((64, 2), (128, 2))
    )
    progress = classifier.fit(
        model, DataSet(split, split, metadata), recipe, report=None
    )
assert progress.history[-1]["loss"] < 0.8 * progress.history[0]["loss"]
"""
    subprocess.run([sys.executable, "-c", program], check=True)
