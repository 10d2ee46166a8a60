"""The training clone: the public network with its preprocessing inside."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from trainable import QUICK, TWO_BLOCKS, small_model

import mobilenet_tf
from mobilenet_tf.data.boxes import central_boxes
from mobilenet_tf.models.blocks import shuffled_separable
from mobilenet_tf.training import classifier
from mobilenet_tf.training.clone import training_clone, without_crop
from mobilenet_tf.training.cropping import CropResize


def stored(images):
    return np.ascontiguousarray(images.transpose(0, 1, 3, 2))


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


def test_clone_gives_logits_whatever_the_last_layer():
    x = keras.Input((32, 32, 3))
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    softmax = keras.layers.Softmax(name="softmax")(pooled)
    white = np.full((1, 32, 3, 32), 255, "uint8")
    for end in (pooled, softmax):
        clone = training_clone(keras.Model(x, end), 32)
        np.testing.assert_allclose(clone([white, central_boxes(1, 1.0)]), 1, atol=1e-5)


def test_layers_may_have_any_name():
    image = keras.Input((32, 32, 3), name="stored_image")
    x = keras.layers.Conv2D(2, 3, name="crop")(image)
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D(name="box")(x))
    names = {layer.name for layer in training_clone(model, 32).layers}
    assert {"crop", "box"} < names


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


def test_fused_normalisation_trains_like_the_stock_layer():
    """One step from the same weights: equal loss, gradients and moving statistics."""
    model = small_model()
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (16, 32, 3, 32), dtype="uint8")
    crops = CropResize(32)([images, central_boxes(16, 1.0)])
    labels = keras.utils.to_categorical(np.arange(16) % 2)
    clone = training_clone(model, 32)
    layer = clone.get_layer("stem_bn")
    assert type(layer) is not keras.layers.BatchNormalization
    stock = keras.Model(model.input, model.output)

    def gradients(call, variables):
        keras.utils.set_random_seed(1)  # for dropout
        with tf.GradientTape() as tape:
            loss = keras.ops.mean(keras.losses.categorical_crossentropy(labels, call()))
        return loss, tape.gradient(loss, variables)

    fused = without_crop(clone)
    fused.get_layer("dropout").rate = stock.get_layer("dropout").rate = 0.0
    one = gradients(lambda: stock(crops, training=True), stock.trainable_variables)
    other = gradients(
        lambda: keras.ops.softmax(fused(crops, training=True)),
        fused.trainable_variables,
    )
    np.testing.assert_allclose(one[0], other[0], rtol=1e-5)
    for a, b in zip(one[1], other[1], strict=True):
        np.testing.assert_allclose(a, b, atol=2e-4, rtol=1e-2)
    for a, b in zip(stock.get_weights(), fused.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("precision", ["pointwise_bfloat16", "mixed_bfloat16"])
def test_precision(precision, stripes, eagerly):
    clone = training_clone(small_model(), 36, precision=precision)
    pointwise = clone.get_layer("block2_pointwise")
    depthwise = clone.get_layer("block2_depthwise")
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
        for layer in clone.layers
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense)
    ]
    assert len(kernels) == 4
    expected = 1e-3 * sum(float(keras.ops.sum(kernel**2)) for kernel in kernels)
    np.testing.assert_allclose(float(sum(clone.losses)), expected, rtol=1e-5)
