"""What the steps of compression refuse."""

import keras
import pytest
from compressible import QUICK, quiet

import mobilenet_tf
from mobilenet_tf.compression import steps

pytest.importorskip("mobilenet_tf.compression.bridge")
BAD = [
    (steps.prune, {"sparsity": 1.0}, r"sparsity must be a number in \[0, 1\), got 1.0"),
    (steps.prune, {"sparsity": -0.1}, "sparsity must be"),
    (steps.prune, {"sparsity": float("nan")}, "sparsity must be"),
    (steps.prune, {"sparsity": 0.5, "begin": 0.6, "end": 0.5}, "end must be .* after"),
    (steps.prune, {"sparsity": {"conv9": 0.5}}, "sparsity must be one of 'stem'"),
    (steps.prune, {"sparsity": {"stem": 1}}, r"sparsity must be a number in \[0, 1\)"),
    (steps.prune, {"sparsity": 0.5, "skip": ["conv9"]}, "skip must be one of 'stem'"),
    (steps.prune, {"sparsity": 0.5, "skip": "stem"}, "collection of names, got 'stem'"),
    (steps.cluster, {"clusters": 1}, "clusters must be an integer >= 2, got 1"),
    (steps.cluster, {"clusters": 257}, "clusters must be at most 256"),
    (steps.cluster, {"clusters": 250}, "at most the .* distinct values of 'stem'"),
]


@pytest.mark.parametrize(("step", "given", "message"), BAD)
def test_bad_arguments(trained, stripes, step, given, message):
    with pytest.raises(ValueError, match=message):
        step(trained, stripes, QUICK, **given)


STEPS = [
    (steps.prune, {"sparsity": 0.5}),
    (steps.cluster, {"clusters": 8}),
    (steps.quantize, {}),
]


@pytest.mark.parametrize(("step", "given"), STEPS)
def test_data_recipe_and_keywords_are_checked_first(step, given, stripes):
    with pytest.raises(ValueError, match=r"recipe must be a Recipe, got 'modern'"):
        step(None, stripes, "modern", **given)
    with pytest.raises(ValueError, match=r"data must be a DataSet, got 'stripes'"):
        step(None, "stripes", QUICK, **given)
    with pytest.raises(TypeError, match=rf"^{step.__name__}\(\) got .* 'sed'; .* seed"):
        step(None, stripes, QUICK, sed=1, **given)
    if step is not steps.cluster:
        with pytest.raises(ValueError, match=r"data must be a DataSet, got None"):
            step(None, None, None, **given)


def test_what_does_not_fit(stripes):
    other = mobilenet_tf.build(0.25, base_resolution=32, classes=5)
    with pytest.raises(ValueError, match="model has 5 classes, the data set 2"):
        steps.prune(other, stripes, QUICK, sparsity=0.5)
    inner = keras.Input((32, 32, 3))
    nested = keras.Model(inner, other(inner))
    with pytest.raises(ValueError, match="only these can be written"):
        steps.prune(nested, stripes, QUICK, sparsity=0.5)
    shuffled = mobilenet_tf.build(
        0.25,
        base_resolution=32,
        classes=2,
        block=mobilenet_tf.layers.shuffled_separable,
    )
    with pytest.raises(ValueError, match="only these can be written"):
        steps.quantize(shuffled, stripes, QUICK)
    x = keras.layers.Rescaling(2.0, name="scale")(inner)
    x = keras.layers.Conv2D(2, 3, name="conv")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    rescaled = keras.Model(inner, x)
    with pytest.raises(ValueError, match="'scale' is a Rescaling"):
        steps.quantize(rescaled, stripes, QUICK)
    with pytest.raises(ValueError, match="given together"):
        steps.cluster(other, stripes, clusters=8)


def test_a_clustered_network_is_not_pruned(trained, stripes):
    shared = steps.cluster(trained, clusters=8, skip=["stem"], report=quiet)
    with pytest.raises(ValueError, match=r"before cluster; got 8 values .* 'block1_"):
        steps.prune(shared, stripes, QUICK, sparsity=0.5, report=quiet)
