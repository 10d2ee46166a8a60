"""Recipes are data, and say what the papers say."""

import dataclasses
import json

import numpy as np
import pytest
from trainable import small_model

from mobilenet_tf.training.clone import training_clone
from mobilenet_tf.training.recipe import Recipe
from mobilenet_tf.training.recipes import MODERN, PAPER, RECIPES


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


def test_stages_grow_to_the_full_side():
    assert MODERN.stages(112) == [(8, 64), (15, 80), (22, 96), (30, 112)]
    assert PAPER.stages(112) == [(30, 112)]
    for epochs in range(1, 40):
        *_, before, last = dataclasses.replace(MODERN, epochs=epochs).stages(112)
        assert last == (epochs, 112) and before[0] < epochs


def test_numbers_of_numpy_are_plain_in_a_record():
    given = {"learning_rate": np.float32(0.5), "epochs": np.int64(3)}
    settings = dataclasses.replace(MODERN, **given).to_json()
    assert json.loads(json.dumps(settings)) == settings


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
        (
            {"optimizer": "adam"},
            "optimizer must be one of 'adamw', 'sgd', 'rmsprop', got",
        ),
        ({"schedule": "step"}, "schedule must be one of 'cosine', 'exponential'"),
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
