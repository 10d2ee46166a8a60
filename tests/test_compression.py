"""Steps that need the Model Optimization Toolkit: what they promise."""

import keras
import numpy as np
import pytest
from compressible import NETWORKS, QUICK, grouped, images, mobilenet, quiet, values

import mobilenet_tf
from mobilenet_tf import cost
from mobilenet_tf.compression import codebooks, kernels, steps

bridge = pytest.importorskip("mobilenet_tf.compression.bridge")


def test_the_authors_squeezenet_in_6_bits(shared):
    codec = pytest.importorskip("mobilenet_tf.compression.codec")
    path = shared / "weights" / "squeezenet_v1.0_deep_compression.net"
    model = mobilenet_tf.build_squeezenet(weights=path)
    result = steps.cluster(model, clusters=64, report=quiet)
    assert len(codec.encode(result)) <= 0.47 * 2**20  # arXiv 1602.07360, table 2


@pytest.mark.parametrize("stock", [True, False])
@pytest.mark.parametrize("build", [*NETWORKS.values(), grouped])
def test_networks_cross_the_bridge_unchanged(build, stock):
    model = build()
    x = images(model)
    copy = bridge.to_tf_keras(model, stock=stock)
    np.testing.assert_allclose(
        copy.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6
    )


def test_what_crosses_to_be_trained_gives_logits():
    x = keras.Input((8, 8, 3))
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    softmax = keras.layers.Softmax(name="softmax")(pooled)
    sigmoid = keras.layers.Activation("sigmoid", name="sigmoid")(pooled)
    for end in (pooled, softmax, sigmoid):
        copy = bridge.to_tf_keras(keras.Model(x, end), recipe=QUICK)
        np.testing.assert_allclose(copy(np.ones((1, 8, 8, 3), "float32")), 1.0)


def test_grouped_convolutions(stripes):
    """They are pruned and clustered like others, and trained in between."""
    model = grouped()
    pruned = steps.prune(model, stripes, QUICK, sparsity=0.75, report=quiet)
    shared = steps.cluster(pruned, stripes, QUICK, clusters=4, report=quiet)
    for name in ("second", "third"):
        kernel = values(shared)[name]
        assert abs(np.mean(kernel == 0) - 0.75) <= 1 / kernel.size
        assert len(np.unique(kernel)) <= 4
        kept = kernel != 0
        assert (values(model)[name][kept] != kernel[kept]).any()
    steps.quantize(shared, stripes, QUICK, report=quiet)


def test_the_toolkit_leaves_tensorflow_alone():
    import os

    import tensorflow as tf

    assert tf.keras.__version__.startswith("3.")
    assert "TF_USE_LEGACY_KERAS" not in os.environ


@pytest.mark.parametrize("depthwise", [False, True])
def test_prune(trained, stripes, depthwise):
    before = [array.copy() for array in trained.get_weights()]
    reports = []
    pruned = steps.prune(
        trained,
        stripes,
        QUICK,
        sparsity=0.75,
        depthwise=depthwise,
        skip=["stem"],
        report=reports.append,
    )
    for name, kernel in values(pruned).items():
        zeros = np.mean(kernel == 0)
        if name == "stem" or (not depthwise and "depthwise" in name):
            assert zeros < 0.01, name
        else:
            # The toolkit rounds the number of zeros; the first few kernels are small.
            assert abs(zeros - 0.75) <= 1 / kernel.size + 1e-9, name
    (report,) = reports
    assert ("stem" in report.left_out) and (
        ("block1_depthwise" in report.left_out) is not depthwise
    )
    assert report.weights[1] == sum(
        np.count_nonzero(one) for one in values(pruned).values()
    )
    assert report.weights[0] == cost.parameters(trained)
    assert 0.2 < report.mult_adds[1] / report.mult_adds[0] < 0.7
    for one, other in zip(before, trained.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert [type(one) for one in pruned.layers] == [type(one) for one in trained.layers]


def test_prune_cluster_quantize(trained, stripes):
    pruned = steps.prune(trained, stripes, QUICK, sparsity=0.5, report=quiet)
    zeros = {name: kernel == 0 for name, kernel in values(pruned).items()}
    shared = steps.cluster(pruned, stripes, QUICK, clusters=16, report=quiet)
    for name, kernel in values(shared).items():
        assert len(np.unique(kernel)) <= 16, name
        if zeros[name].any():
            assert (kernel[zeros[name]] == 0).all(), name
    assert any(
        not np.array_equal(kernel, values(pruned)[name])
        for name, kernel in values(shared).items()
    )
    reports = []
    final = steps.quantize(shared, stripes, QUICK, report=reports.append)
    for name, kernel in values(final).items():
        assert (kernel[zeros[name]] == 0).all(), name
    assert reports[0].top1[1] > 0.8
    assert "quantize" in str(reports[0])


def test_what_counts_as_clustered():
    """Not zeros, two weights that happen to be equal, or the levels of 8 bits."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(1, 1, 64, 64)).astype("float32")
    twice = weights[..., :3].copy()
    twice[0, 0, 0] = twice[0, 0, 1]
    levels = np.rint(weights * 30).astype("float32") * np.float32(0.0123)
    sparse = np.where(np.abs(weights) > 2, weights, 0)
    for free in (weights, sparse, twice, levels, np.zeros_like(weights)):
        assert not kernels.clustered(free)
    for count in (2, 8, 256):
        values = codebooks.codebook(weights, count, keep_zeros=True)
        assert kernels.clustered(codebooks.nearest(weights, values))


def test_a_clustered_network_is_not_pruned(trained, stripes):
    shared = steps.cluster(trained, clusters=8, skip=["stem"], report=quiet)
    with pytest.raises(ValueError, match=r"before cluster; got 8 values .* 'block1_"):
        steps.prune(shared, stripes, QUICK, sparsity=0.5, report=quiet)


def test_cluster_without_training(trained):
    result = steps.cluster(trained, clusters=8, report=quiet)
    for name, kernel in values(result).items():
        assert len(np.unique(kernel)) <= 8, name
    middle = steps.cluster(trained, clusters=64, report=quiet)
    x = images(trained)
    wanted = trained.predict(x, verbose=0)
    coarse, fine = (
        np.abs(one.predict(x, verbose=0) - wanted).max() for one in (result, middle)
    )
    assert fine < coarse


def test_lookup_is_the_toolkits():
    import tensorflow as tf

    from mobilenet_tf.compression.bridge import wrappers

    rng = np.random.default_rng(0)
    weights = tf.constant(rng.normal(size=(3, 3, 5, 7)).astype("float32"))
    values = tf.Variable(rng.normal(size=16).astype("float32"))  # in no order
    ours = wrappers._SortedLookup(values).get_pulling_indices(weights)
    theirs = wrappers.ClusteringAlgorithm(values).get_pulling_indices(weights)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


def test_a_killed_step_goes_on(stripes, tmp_path):
    class StopError(Exception):
        pass

    def interrupt(progress):
        if progress.epoch == 1:
            raise StopError

    def prune(**more):
        return steps.prune(
            mobilenet(), stripes, QUICK, sparsity=0.5, report=quiet, **more
        )

    whole = prune()
    path = tmp_path / "snapshot.npz"
    with pytest.raises(StopError):
        prune(snapshot_path=path, on_epoch=interrupt)
    epochs = []
    resumed = prune(
        snapshot_path=path, on_epoch=lambda progress: epochs.append(progress.epoch)
    )
    assert epochs == [2]
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


BAD = [
    (steps.prune, {"sparsity": 1.0}, r"sparsity must be a number in \[0, 1\), got 1.0"),
    (steps.prune, {"sparsity": -0.1}, "sparsity must be"),
    (steps.prune, {"sparsity": float("nan")}, "sparsity must be"),
    (steps.prune, {"sparsity": 0.5, "begin": 0.6, "end": 0.5}, "end must be .* after"),
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
