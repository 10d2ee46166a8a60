"""Prune and cluster: sparsity, shared values, what stays, and interrupted training."""

import numpy as np
import pytest
from compressible import (
    ONCE,
    QUICK,
    SYMMETRIC,
    copy_of,
    grouped,
    images,
    mobilenet,
    quiet,
    same_bits,
    separable,
    values,
)
from conftest import outputs_of

import mobilenet_tf
from mobilenet_tf.analysis import cost
from mobilenet_tf.compression import codebooks, kernels, steps

pytest.importorskip("mobilenet_tf.compression.tfmot")


def test_the_authors_squeezenet_in_6_bits(shared):
    codec = pytest.importorskip("mobilenet_tf.codec")
    path = shared / "weights" / "squeezenet_v1.0_deep_compression.net"
    model = mobilenet_tf.build_squeezenet(weights=path)
    result = steps.cluster(model, clusters=64, report=quiet)
    assert len(codec.encode(result)) <= 0.47 * 2**20  # arXiv 1602.07360, table 2


def test_grouped_convolutions(stripes, eagerly):
    """They are pruned and clustered like others, and trained in between."""
    model = grouped()
    settings = {"report": quiet, "input_range": SYMMETRIC}
    pruned = steps.prune(model, stripes, ONCE, sparsity=0.75, **settings)
    shared = steps.cluster(pruned, stripes, ONCE, clusters=4, **settings)
    for name in ("second", "third"):
        kernel = values(shared)[name]
        assert abs(np.mean(kernel == 0) - 0.75) <= 1 / kernel.size
        assert len(np.unique(kernel)) <= 4
        kept = kernel != 0
        assert (values(model)[name][kept] != kernel[kept]).any()


def test_separable_convolutions(stripes, eagerly):
    """Their depthwise kernel is a kernel of its own, named, and not passed over.

    What stays when they are quantized is in test_quantization.py.
    """
    model = separable()
    reports = []
    settings = {"report": reports.append, "input_range": SYMMETRIC}
    pruned = steps.prune(model, stripes, ONCE, sparsity=0.5, depthwise=True, **settings)
    shared = steps.cluster(pruned, stripes, ONCE, clusters=4, **settings)
    steps.prune(model, stripes, ONCE, sparsity=0.5, **settings)
    assert list(values(shared)) == ["first", "second_depthwise", "second", "classifier"]
    for name, kernel in values(shared).items():
        assert abs(np.mean(kernel == 0) - 0.5) <= 1 / kernel.size, name
        assert len(np.unique(kernel)) <= 4, name
    assert [report.left_out for report in reports] == [(), (), ("second_depthwise",)]
    assert "second_depthwise" in str(reports[1])


def test_prune_layer_by_layer(trained, stripes, eagerly):
    shares = {"stem": 0.25, "block1_depthwise": 0.5}
    pruned = steps.prune(trained, stripes, ONCE, sparsity=shares, report=quiet)
    for name, kernel in values(pruned).items():
        share = shares.get(name, 0)
        assert abs(np.mean(kernel == 0) - share) <= 1 / kernel.size + 1e-9, name


@pytest.mark.parametrize("depthwise", [False, True])
def test_prune(trained, stripes, depthwise, eagerly):
    before = copy_of(trained)
    reports = []
    pruned = steps.prune(
        trained,
        stripes,
        ONCE,
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
        # -0.0 equals zero, but is another weight to a lossless file.
        assert not np.signbit(kernel[kernel == 0]).any(), name
    (report,) = reports
    assert ("stem" in report.left_out) and (
        ("block1_depthwise" in report.left_out) is not depthwise
    )
    assert report.weights[1] == sum(
        np.count_nonzero(kernel) for kernel in values(pruned).values()
    )
    assert report.weights[0] == cost.parameters(trained)
    assert 0.2 < report.mult_adds[1] / report.mult_adds[0] < 0.7
    same_bits(trained, before)
    assert [*map(type, pruned.layers)] == [*map(type, trained.layers)]


def test_zeros_stay_in_layers_that_a_step_leaves_out(trained, stripes, eagerly):
    pruned = steps.prune(
        trained, stripes, ONCE, sparsity=0.5, depthwise=True, report=quiet
    )
    later = (
        steps.prune(pruned, stripes, ONCE, sparsity={"stem": 0.75}, report=quiet),
        steps.cluster(
            pruned,
            stripes,
            ONCE,
            clusters=4,
            depthwise=False,
            skip=["stem"],
            report=quiet,
        ),
    )
    left_out = ("block1_pointwise", "block1_depthwise"), ("stem", "block1_depthwise")
    for result, names in zip(later, left_out, strict=True):
        for name in names:
            before, after = values(pruned)[name], values(result)[name]
            np.testing.assert_array_equal(after == 0, before == 0)
            assert not np.signbit(after[after == 0]).any()
            assert (after != before).any()  # the others are trained


def test_what_counts_as_clustered():
    """At most 256 values, each used twice on average; so are levels of 8 bits."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(1, 1, 64, 64)).astype("float32")
    twice = weights[..., :3].copy()
    twice[0, 0, 0] = twice[0, 0, 1]
    levels = np.rint(weights * 30).astype("float32") * np.float32(0.0123)
    sparse = np.where(np.abs(weights) > 2, weights, 0)
    for free in (weights, sparse, twice, np.zeros_like(weights)):
        assert not kernels.shares_values(free)
    assert kernels.shares_values(levels)
    for count in (2, 8, 256):
        values = codebooks.codebook(weights, count, keep_zeros=True)
        assert kernels.shares_values(codebooks.nearest(weights, values))


def test_cluster_without_training(trained):
    result = steps.cluster(trained, clusters=8, report=quiet)
    for name, kernel in values(result).items():
        assert len(np.unique(kernel)) <= 8, name
    middle = steps.cluster(trained, clusters=64, report=quiet)
    x = images(trained)
    exact = outputs_of(trained, x)
    coarse, fine = (
        np.abs(outputs_of(model, x) - exact).max() for model in (result, middle)
    )
    assert fine < coarse


class StopError(Exception):
    """Stands for whatever ends a training early."""


def stop(progress):
    raise StopError


def test_an_interrupted_step_resumes(stripes, tmp_path, eagerly):
    def prune(**more):
        return steps.prune(model, stripes, QUICK, sparsity=0.5, report=quiet, **more)

    model = mobilenet([(64, 2)])
    before = copy_of(model)
    whole = prune()
    path = tmp_path / "snapshot.npz"
    with pytest.raises(StopError):
        prune(snapshot_path=path, on_epoch=stop)
    same_bits(model, before)
    epochs = []
    resumed = prune(
        snapshot_path=path, on_epoch=lambda progress: epochs.append(progress.epoch)
    )
    assert epochs == [2]
    same_bits(whole, resumed)


def test_an_error_while_clustering_changes_nothing(stripes, eagerly):
    model = grouped()
    before = copy_of(model)
    with pytest.raises(StopError):
        steps.cluster(
            model,
            stripes,
            ONCE,
            clusters=8,
            input_range=SYMMETRIC,
            on_epoch=stop,
        )
    same_bits(model, before)
