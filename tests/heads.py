"""Networks of few weights with a user's own head, as the tests of every step share.

All take `classes`. Layers, their kinds and their names are those of the whole networks;
what is left out are blocks, filters and units.
"""

import dataclasses

import keras
from keras import layers
from trainable import TWO_BLOCKS

import mobilenet_tf
from mobilenet_tf.analysis.deferred import without_weights
from mobilenet_tf.models import architecture, baselines

SIDE = 32


def base(blocks=TWO_BLOCKS):
    """The features of a MobileNet, for inputs from -1 to 1."""
    keras.utils.set_random_seed(0)
    return mobilenet_tf.build(
        0.25, base_resolution=SIDE, include_top=False, pooling="avg", blocks=blocks
    )


def sequential(classes=2, activation="softmax", body=None):
    """Takes pixels from 0 to 255; models of `keras.applications` are used so."""
    scale = layers.Rescaling(1 / 127.5, -1)
    head = layers.Dense(classes, activation)
    return keras.Sequential([keras.Input((SIDE, SIDE, 3)), scale, body or base(), head])


def functional(classes=2, activation=None, body=None):
    """Takes inputs from -1 to 1; the base is one of its layers."""
    inputs = keras.Input((SIDE, SIDE, 3))
    head = layers.Dense(classes, activation, name="dense")
    return keras.Model(inputs, head((body or base())(inputs)))


def inputs_in_a_list(classes=2, body=None):
    """A flat network, built from a list of one input."""
    body = body or base()
    return keras.Model([body.input], layers.Dense(classes, name="dense")(body.output))


def alexnet(classes=2, narrower=16, units=32):
    """AlexNet for 67 px with fewer filters and units, whose last layer is `fc8`."""
    whole = without_weights(
        lambda: architecture.describe(baselines.alexnet(classes, 67))
    )

    def small(spec):
        if spec.name in ("fc6", "fc7"):
            return spec.with_settings(units=units)
        if spec.kind == "Conv2D":
            filters = spec.settings["filters"] // narrower
            return spec.with_settings(filters=filters)
        return spec

    keras.utils.set_random_seed(0)
    return architecture.build(
        dataclasses.replace(whole, layers=tuple(map(small, whole.layers)))
    )


HEADS = {"sequential": sequential, "functional": functional, "alexnet": alexnet}
