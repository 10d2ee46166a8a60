"""Training for small updates: what may change changes, and nothing else."""

import keras
import numpy as np
import pytest
from compressible import LEARNING, QUICK, clustered, mobilenet, pruned, quiet
from test_codec import quantized, with_kernels

pytest.importorskip("constriction")

from mobilenet_tf import compression
from mobilenet_tf.codec.difference import grids
from mobilenet_tf.compression import kernels
from mobilenet_tf.compression.updates import restrict


def changed_layers(before, after):
    return {
        layer.name
        for layer, other in zip(before.layers, after.layers, strict=True)
        if any(
            (a != b).any()
            for a, b in zip(layer.get_weights(), other.get_weights(), strict=True)
        )
    }


@pytest.fixture(scope="module")
def network():
    model = mobilenet(blocks=((64, 2), (128, 2)))
    with_kernels(model, lambda w: clustered(pruned(w)) if w.size > 200 else w)
    return with_kernels(model, np.copy)


@pytest.fixture(scope="module")
def update(network, stripes):
    def update(recipe=QUICK, **options):
        return compression.update(network, stripes, recipe, report=quiet, **options)

    return update


def test_the_classifier_alone(network, update):
    assert changed_layers(network, update(part="classifier")) == {"classifier"}


def test_batch_normalization_and_biases_alone(network, update):
    updated = update(part="normalization")
    assert changed_layers(network, updated) == {
        layer.name
        for layer in network.layers
        if any(weight.ndim == 1 for weight in layer.weights)
    }
    for name, kernel in kernels.by_name(network).items():
        np.testing.assert_array_equal(kernel, kernels.by_name(updated)[name])
    assert len(updated.trainable_weights) == len(network.trainable_weights)


def test_kernels_stay_on_their_values_within_a_budget(network, update):
    share = 0.05
    updated = update(LEARNING, share=share)
    old, new = kernels.by_name(network), kernels.by_name(updated)
    counted = [name for name in old if name != "classifier"]
    different = sum((old[name] != new[name]).sum() for name in counted)
    assert 0 < different <= share * sum(old[name].size for name in counted)
    for name in counted:
        if kernels.shares_values(old[name]):
            assert np.isin(new[name], old[name]).all()
            np.testing.assert_array_equal(new[name] == 0, old[name] == 0)
    for layer in updated.layers:
        assert layer.trainable


def test_multiples_keep_their_scales():
    rng = np.random.default_rng(0)
    old = quantized(rng.normal(size=(3, 3, 20, 8)).astype("float32"))
    new = old + 0.05 * rng.normal(size=old.shape).astype("float32")
    result = restrict({"conv": old}, {"conv": new}, 1.0)["conv"]
    assert (result != old).mean() > 0.5
    both = np.concatenate([old, result]).reshape(-1, 8).T  # by channel
    np.testing.assert_array_equal(
        grids.find_scales(np.ascontiguousarray(both)),
        grids.find_scales(np.ascontiguousarray(old.reshape(-1, 8).T)),
    )


def test_the_budget_goes_to_the_largest_moves():
    old = {"conv": np.linspace(-1, 1, 1000, dtype="float32").reshape(10, 100)}
    new = {"conv": old["conv"].copy()}
    new["conv"][3, :7] += np.arange(1, 8, dtype="float32")
    for share, most in ((0.003, 3), (1.0, 7)):
        moved = restrict(old, new, share)["conv"] != old["conv"]
        assert np.flatnonzero(moved).tolist() == list(range(307 - most, 307))


def test_new_classes_get_values():
    old = clustered(np.random.default_rng(0).normal(size=(300, 4))).astype("float32")
    old[:, 3] = 0
    new = old + np.float32(0.3)
    result = restrict({"classifier": old}, {"classifier": new}, 1.0)["classifier"]
    assert (result[:, 3] != 0).all() and np.isin(result, old).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"part": "head"}, "part must be one of 'all', 'normalization'"),
        ({"share": 0}, r"share must be a number in \(0, 1\], got 0"),
        ({"share": 1.5}, "share must be"),
    ],
)
def test_illegal_arguments(update, options, message):
    with pytest.raises(ValueError, match=message):
        update(**options)


def test_a_network_without_normalization_and_biases(stripes):
    images = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(4, 3, use_bias=False)(images)
    x = keras.layers.GlobalAveragePooling2D()(x)
    head = keras.layers.Dense(2, "softmax", use_bias=False)
    model = keras.Model(images, head(x))
    with pytest.raises(ValueError, match="part='normalization' has no weights"):
        compression.update(
            model,
            stripes,
            QUICK,
            part="normalization",
            input_range=(0, 255),
            report=quiet,
        )
