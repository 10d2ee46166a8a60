"""Networks that the tests of compression share."""

import dataclasses

import keras
import numpy as np

import mobilenet_tf
from mobilenet_tf.compression import kernels
from mobilenet_tf.models import blocks, squeezenet_blocks
from mobilenet_tf.models.mobilenet import BLOCKS
from mobilenet_tf.training.recipe import Recipe

QUICK = Recipe(
    name="quick",
    optimizer="sgd",
    learning_rate=0.01,
    schedule="cosine",
    epochs=2,
    batch_size=32,
    bn_momentum=0.9,
)
ONCE = dataclasses.replace(QUICK, epochs=1, batch_size=96)  # one step of all images

# For networks whose layers do not determine their inputs for black and for white.
SYMMETRIC = (-1.0, 1.0)
# Learns the stripes from the start.
LEARNING = dataclasses.replace(QUICK, learning_rate=0.05, epochs=6, batch_size=16)


def mobilenet(blocks=((64, 1), (128, 2), (256, 2)), **more):
    keras.utils.set_random_seed(0)
    return mobilenet_tf.build(
        0.25, base_resolution=32, classes=2, dropout=0, blocks=blocks, **more
    )


def squeezenet(bypass="none"):
    keras.utils.set_random_seed(0)
    return mobilenet_tf.build_squeezenet(resolution=36, classes=2, bypass=bypass)


def grouped():
    """Convolutions in two groups, as in AlexNet."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((36, 36, 3))
    x = keras.layers.Conv2D(8, 3, 2, activation="relu", name="first")(inputs)
    x = keras.layers.Conv2D(16, 3, groups=2, activation="relu", name="second")(x)
    x = keras.layers.Conv2D(
        8, 3, groups=2, padding="same", use_bias=False, name="third"
    )(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, keras.layers.Dense(2, "softmax", name="classifier")(x))


def separable():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(8, 3, 4, activation="relu", name="first")(inputs)
    x = keras.layers.SeparableConv2D(16, 3, activation="relu", name="second")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, keras.layers.Dense(2, "softmax", name="classifier")(x))


def fires():
    """Two Fire modules and a bypass: of SqueezeNet what a quick test needs."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((32, 32, 3))
    x = squeezenet_blocks.conv_relu(inputs, 8, 3, 4, name="conv1")
    first = squeezenet_blocks.fire(x, 8, 8, 8, name="fire2")
    second = squeezenet_blocks.fire(first, 8, 8, 8, name="fire3")
    x = keras.layers.Add(name="bypass")([first, second])
    x = squeezenet_blocks.conv_relu(x, 2, 1, name="conv10")
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, keras.layers.Activation("softmax", name="classifier")(x))


NETWORKS = {
    "mobilenet": lambda: mobilenet(BLOCKS),
    "separable": lambda: mobilenet_tf.build(
        0.25,
        base_resolution=32,
        classes=2,
        block=blocks.fused_separable,
    ),
    "squeezenet": squeezenet,
    "simple": lambda: squeezenet("simple"),
    "complex": lambda: squeezenet("complex"),
}


def in_a_sequence(base, classes=2):
    """A network as users of `keras.applications` build it: scaling, base, own head."""
    side = base.input_shape[1]
    return keras.Sequential(
        [
            keras.Input((side, side, 3)),
            keras.layers.Rescaling(1 / 127.5, -1, name="scaling"),
            base,
            keras.layers.Dense(classes, "softmax", name="predictions"),
        ]
    )


def quiet(report):
    pass


def images(model, count=4):
    side = model.input_shape[1]
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, (count, side, side, 3)).astype("float32")


def values(model):
    """The kernels that compress, by the names of their layers."""
    return kernels.by_name(model)


def pruned(weights):
    return np.where(np.abs(weights) > np.quantile(np.abs(weights), 0.8), weights, 0.0)


def clustered(weights):
    return np.round(weights / np.abs(weights).max() * 15).astype("float32") / 15


def copy_of(model):
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def same_bits(first, second):
    for array, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(array.view("uint32"), other.view("uint32"))
