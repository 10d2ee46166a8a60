import dataclasses
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import mobilenet_tf
from mobilenet_tf.data.boxes import central_boxes
from mobilenet_tf.layers import shuffled_separable
from mobilenet_tf.training import classifier, snapshot
from mobilenet_tf.training.clone import training_clone
from mobilenet_tf.training.cropping import CropResize
from mobilenet_tf.training.recipe import Recipe
from mobilenet_tf.training.recipes import MODERN, PAPER, RECIPES

QUICK = Recipe(
    "quick",
    "sgd",
    0.05,
    "cosine",
    warmup_epochs=1,
    epochs=4,
    batch_size=24,
    weight_decay=1e-3,
    side_steps=(0.75, 1.0),
    bn_momentum=0.8,
)

TWO_BLOCKS = ((64, 2), (128, 2))


def small_model(seed=0):
    keras.utils.set_random_seed(seed)
    return mobilenet_tf.build(
        0.25, base_resolution=32, classes=2, dropout=0.2, blocks=TWO_BLOCKS
    )


def equal(model, other):
    pairs = zip(model.get_weights(), other.get_weights(), strict=True)
    return all(np.array_equal(one, two) for one, two in pairs)


def stored(images):
    return np.ascontiguousarray(images.transpose(0, 1, 3, 2))


def test_network_that_flattens_keeps_its_side(stripes):
    images = keras.Input((32, 32, 3))
    x = keras.layers.Flatten()(keras.layers.MaxPooling2D(8)(images))
    model = keras.Model(images, keras.layers.Dense(2, activation="softmax")(x))
    assert classifier.fit(model, stripes, QUICK).epoch == QUICK.epochs


def test_crop_resize_equals_tensorflow():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (4, 56, 56, 3), dtype="uint8")
    for side in (32, 56, 80):  # shrinking is antialiased
        ours = CropResize(side)([stored(images), central_boxes(4, 1.0)])
        theirs = tf.image.resize(images, (side, side), antialias=True) * 2 / 255 - 1
        np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_crop_resize_cuts_and_mirrors():
    images = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3), dtype="uint8")
    box = np.array([[0.25, 0.5, 0.75, 1.0]], "float32")
    crop = CropResize(4)([stored(images), box])
    expected = images[:, 2:6, 4:8] * (2 / 255) - 1
    np.testing.assert_allclose(crop, expected, atol=1e-5)
    mirrored = CropResize(4)([stored(images), box[:, [0, 3, 2, 1]]])
    np.testing.assert_allclose(mirrored, expected[:, :, ::-1], atol=1e-5)


def test_clone_gives_the_logits_of_the_public_model():
    model = small_model()
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype="uint8")
    logits = training_clone(model, 32)([stored(images), central_boxes(3, 1.0)])
    expected = model(images * (2 / 255) - 1)
    np.testing.assert_allclose(keras.ops.softmax(logits), expected, atol=1e-5)
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)


@pytest.mark.parametrize(
    "build",
    [
        lambda: mobilenet_tf.build(
            0.25,
            base_resolution=36,
            classes=2,
            blocks=TWO_BLOCKS,
            block=shuffled_separable,
            classifier_activation=None,
        ),
        lambda: mobilenet_tf.build_squeezenet(
            resolution=36, classes=2, bypass="complex", classifier_activation=None
        ),
    ],
)
def test_clone_of_other_networks(build, stripes):
    """Groups one after the other, an operation in the graph, an activation as end."""
    model = build()
    images = stripes.train.contents.images[:4]
    logits = training_clone(model, 36)([images, central_boxes(4, 1.0)])
    scaled = images.transpose(0, 1, 3, 2).astype("float32") * 2 / 255 - 1
    np.testing.assert_allclose(logits, model(scaled), atol=1e-4)
    mixed = training_clone(model, 36, 48, precision="mixed_bfloat16")
    assert mixed([images, central_boxes(4, 1.0)]).shape == (4, 2)


def test_squeezenet_leaves_ln_classes(stripes):
    """A network of ReLUs without normalisation can be stuck at ln(2) = 0.693."""
    keras.utils.set_random_seed(0)
    model = mobilenet_tf.build_squeezenet(resolution=36, classes=2)
    recipe = dataclasses.replace(RECIPES["plain"], epochs=12, side_steps=(1.0,))
    progress = classifier.fit(
        model, stripes, dataclasses.replace(recipe, batch_size=16)
    )
    assert progress.history[-1]["loss"] < 0.5


def test_fused_normalisation_trains_like_the_stock_layer():
    """One step from the same weights: equal loss, gradients and moving statistics."""
    model = small_model()
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (16, 32, 3, 32), dtype="uint8")
    crops = CropResize(32)([images, central_boxes(16, 1.0)])
    labels = keras.utils.to_categorical(np.arange(16) % 2)
    fused = training_clone(model, 32)
    layer = fused.layers[-1].get_layer("stem_bn")
    assert type(layer) is not keras.layers.BatchNormalization
    stock = keras.Model(model.input, model.output)

    def gradients(call, variables):
        keras.utils.set_random_seed(1)  # for dropout
        with tf.GradientTape() as tape:
            loss = keras.ops.mean(keras.losses.categorical_crossentropy(labels, call()))
        return loss, tape.gradient(loss, variables)

    body = fused.layers[-1]
    body.get_layer("dropout").rate = stock.get_layer("dropout").rate = 0.0
    one = gradients(lambda: stock(crops, training=True), stock.trainable_variables)
    other = gradients(
        lambda: keras.ops.softmax(body(crops, training=True)), body.trainable_variables
    )
    np.testing.assert_allclose(one[0], other[0], rtol=1e-5)
    for a, b in zip(one[1], other[1], strict=True):
        np.testing.assert_allclose(a, b, atol=2e-4, rtol=1e-2)
    for a, b in zip(stock.get_weights(), body.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("precision", ["pointwise_bfloat16", "mixed_bfloat16"])
def test_precision(precision, stripes):
    clone = training_clone(small_model(), 36, precision=precision)
    body = clone.layers[-1]
    pointwise = body.get_layer("block2_pointwise")
    depthwise = body.get_layer("block2_depthwise")
    assert pointwise.compute_dtype == "bfloat16"
    assert pointwise.kernel.dtype == "float32"
    mixed = precision == "mixed_bfloat16"
    assert depthwise.compute_dtype == ("bfloat16" if mixed else "float32")
    assert clone.output.dtype == "float32"
    progress = classifier.fit(small_model(), stripes, QUICK, precision=precision)
    assert progress.history[-1]["loss"] < progress.history[0]["loss"]


def test_l2_leaves_depthwise_kernels_alone():
    clone = training_clone(small_model(), 36, l2=1e-3)
    kernels = [
        layer.kernel
        for layer in clone.layers[-1].layers
        if type(layer) in (keras.layers.Conv2D, keras.layers.Dense)
    ]
    assert len(kernels) == 4
    expected = 1e-3 * sum(float(keras.ops.sum(kernel**2)) for kernel in kernels)
    np.testing.assert_allclose(float(sum(clone.losses)), expected, rtol=1e-5)


def test_weight_decay_is_on_kernels_alone():
    clone = training_clone(small_model(), 36)
    optimizer = MODERN.build_optimizer(10)
    optimizer.build(clone.trainable_variables)
    decayed = {
        variable.name
        for variable in clone.trainable_variables
        if optimizer._use_weight_decay(variable)
    }
    assert decayed == {"kernel"}


def test_learns_and_is_reproducible(stripes):
    one, other = small_model(), small_model()
    recipe = Recipe("longer", "sgd", 0.05, "cosine", epochs=8, batch_size=8)
    progress = classifier.fit(one, stripes, recipe)
    classifier.fit(other, stripes, recipe)
    assert equal(one, other)
    assert progress.epoch == len(progress.history) == 8
    metrics = classifier.evaluate(one, stripes.evaluation, stripes.side)
    assert metrics["top1"] > 0.9
    assert metrics["top5"] == 1.0


def test_evaluate_equals_predictions(stripes):
    model = small_model()
    classifier.fit(model, stripes, QUICK)
    contents = stripes.evaluation.contents
    crops = CropResize(32)([contents.images, central_boxes(40)])
    top1 = (np.argmax(model(crops), axis=1) == contents.labels).mean()
    metrics = classifier.evaluate(model, stripes.evaluation, stripes.side)
    np.testing.assert_allclose(metrics["top1"], top1, atol=1e-6)


@pytest.mark.parametrize("stop", [1, 2, 4])  # in a stage, between two, at the end
def test_resumed_training_ends_with_the_same_weights(stripes, tmp_path, stop):
    class StopError(Exception):
        pass

    def interrupt(progress):
        if progress.epoch == stop:
            raise StopError

    path = tmp_path / "snapshot.npz"
    whole, resumed = small_model(), small_model()
    classifier.fit(whole, stripes, QUICK)
    with pytest.raises(StopError):
        classifier.fit(
            small_model(), stripes, QUICK, snapshot_path=path, on_epoch=interrupt
        )
    epochs = []
    classifier.fit(
        resumed,
        stripes,
        QUICK,
        snapshot_path=path,
        on_epoch=lambda progress: epochs.append(progress.epoch),
    )
    assert epochs == list(range(stop + 1, 5))
    assert equal(whole, resumed)


def test_damaged_snapshot(tmp_path):
    path = tmp_path / "snapshot.npz"
    snapshot.save(path, [np.arange(1000.0)], {"epoch": 1})
    assert snapshot.facts(path) == {"epoch": 1}
    content = path.read_bytes()
    path.write_bytes(content[:-100])
    with pytest.raises(
        ValueError, match=r"is damaged .* delete it to train this point"
    ):
        snapshot.load(path)
    assert snapshot.load(tmp_path / "none.npz") is None


def test_snapshot_of_another_model(stripes, tmp_path):
    path = tmp_path / "snapshot.npz"
    classifier.fit(small_model(), stripes, QUICK, snapshot_path=path)
    other = mobilenet_tf.build(0.5, base_resolution=32, classes=2, blocks=TWO_BLOCKS)
    with pytest.raises(ValueError, match="of another model or optimizer"):
        classifier.fit(other, stripes, QUICK, snapshot_path=path)


def test_stages_grow_to_the_full_side():
    assert MODERN.stages(112) == [(8, 64), (15, 80), (22, 96), (30, 112)]
    assert PAPER.stages(112) == [(30, 112)]


def test_paper_recipe_is_what_the_paper_says():
    assert PAPER.optimizer == "rmsprop"
    assert PAPER.label_smoothing == 0
    assert PAPER.weight_decay == 0
    assert all(name == recipe.name for name, recipe in RECIPES.items())


def test_schedules():
    warm = MODERN.build_optimizer(100)._learning_rate
    rates = [float(warm(step)) for step in (0, 100, 200, 1600, 3000)]
    np.testing.assert_allclose(rates, [0, 0.1, 0.2, 0.1, 0], atol=1e-6)
    stairs = PAPER.build_optimizer(100)._learning_rate
    rates = [float(stairs(step)) for step in (0, 74, 75, 2999)]
    expected = [0.045, 0.045, 0.045 * 0.94, 0.045 * 0.94**39]
    np.testing.assert_allclose(rates, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer": "adam"}, "optimizer must be one of adamw, sgd, rmsprop, got"),
        ({"schedule": "step"}, "schedule must be one of cosine, exponential"),
        ({"epochs": 0}, "epochs must be an integer >= 1, got 0"),
        ({"batch_size": 1.5}, "batch_size must be an integer >= 1, got 1.5"),
        ({"learning_rate": 0.0}, "learning_rate must be a number > 0, got 0.0"),
        ({"weight_decay": -1.0}, "weight_decay must be a number >= 0"),
        ({"label_smoothing": 1.0}, r"label_smoothing must be a number in \[0, 1\)"),
        ({"min_area": 0.0}, r"min_area must be a number in \(0, 1\]"),
        ({"bn_momentum": 1.0}, r"bn_momentum must be a number in \(0, 1\)"),
        ({"central_fraction": 1.5}, r"central_fraction must be a number in \(0, 1\]"),
        ({"side_steps": (1.0, 0.5)}, r"side_steps must be .* end with 1.0"),
    ],
)
def test_bad_recipe(changes, message):
    settings = {
        "name": "r",
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "schedule": "cosine",
    }
    with pytest.raises(ValueError, match=message):
        Recipe(**{**settings, **changes})


def test_bad_fit_arguments(stripes):
    with pytest.raises(ValueError, match="precision must be one of float32"):
        classifier.fit(small_model(), stripes, QUICK, precision="float16")
    model = mobilenet_tf.build(0.25, base_resolution=32, classes=3)
    with pytest.raises(ValueError, match="model has 3 classes, the data set 2"):
        classifier.fit(model, stripes, QUICK)


def test_mirrored_training():
    """Two replicas on two logical CPUs; they must exist before TensorFlow starts."""
    program = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, two)
import sys; sys.path[:0] = ["tests"]
import keras, mobilenet_tf
from conftest import striped_images
from mobilenet_tf.data.arrays import ArraySplit
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.training import classifier, distribution
from mobilenet_tf.training.recipe import Recipe
split = ArraySplit(striped_images(64, 36, 0))
facts = {"class_names": ("along", "across"), "side": 36}
recipe = Recipe("r", "sgd", 0.05, "cosine", epochs=6, batch_size=16)
with distribution.scope(True):
    assert tf.distribute.get_strategy().num_replicas_in_sync == 2
    model = mobilenet_tf.build(
        0.25, base_resolution=32, classes=2, blocks=((64, 2), (128, 2))
    )
    progress = classifier.fit(model, DataSet(split, split, facts), recipe)
assert progress.history[-1]["loss"] < 0.8 * progress.history[0]["loss"]
"""
    subprocess.run([sys.executable, "-c", program], check=True)
