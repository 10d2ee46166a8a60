"""A network and two recipes that the tests of training share."""

import dataclasses

import keras
import numpy as np

import mobilenet_tf
from mobilenet_tf.training.recipe import Recipe

QUICK = Recipe(
    "quick",
    "sgd",
    0.05,
    "cosine",
    warmup_epochs=1,
    epochs=4,
    batch_size=48,
    weight_decay=1e-3,
    bn_momentum=0.8,
)
# Images of two sides, one after the other: each takes seconds to compile.
TWO_STAGES = dataclasses.replace(QUICK, side_steps=(0.75, 1.0))


TWO_BLOCKS = ((64, 2), (128, 2))


def small_model(seed=0):
    keras.utils.set_random_seed(seed)
    return mobilenet_tf.build(
        0.25, base_resolution=32, classes=2, dropout=0.2, blocks=TWO_BLOCKS
    )


def equal(model, other):
    pairs = zip(model.get_weights(), other.get_weights(), strict=True)
    return all(np.array_equal(one, two) for one, two in pairs)
