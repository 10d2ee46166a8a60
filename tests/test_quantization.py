"""Training in 8 bits, alone and after the other steps."""

import dataclasses

import keras
import numpy as np
import pytest
from compressible import (
    NETWORKS,
    ONCE,
    QUICK,
    SYMMETRIC,
    copy_of,
    fires,
    grouped,
    quiet,
    same_bits,
    separable,
    values,
)

import mobilenet_tf
from mobilenet_tf.compression import steps

pytest.importorskip("mobilenet_tf.compression.tfmot")
CHAINED = [
    pytest.param(separable, id="one_separable"),
    pytest.param(fires, id="fires"),
    *(
        pytest.param(build, id=name, marks=pytest.mark.thorough)
        for name, build in NETWORKS.items()
    ),
]


def all_kernels(model):
    """Both of a separable layer, unlike `values`."""
    return {
        weight.path: keras.ops.convert_to_numpy(weight)
        for weight in model.weights
        if len(weight.shape) > 1
    }


def columns(kernel):
    """The filters of a kernel, as rows; of a depthwise kernel those of each channel."""
    if kernel.ndim == 4 and kernel.shape[-1] == 1:
        kernel = kernel[..., 0]
    return kernel.reshape(-1, kernel.shape[-1]).T


def assert_on_a_grid(weights, name):
    largest = np.abs(weights).max() or 1
    multiples = weights * np.arange(1, 128)[:, None] / largest
    assert np.abs(multiples - np.rint(multiples)).max(1).min() < 1e-3, name


def chain(model, data, recipe, **settings):
    """Prune, cluster and quantize: the four networks, and the last report."""
    networks, reports = [model], []
    for step, given in (
        (steps.prune, {"sparsity": 0.5, "depthwise": True}),
        (steps.cluster, {"clusters": 16}),
        (steps.quantize, {}),
    ):
        before = copy_of(networks[-1])
        result = step(
            networks[-1], data, recipe, report=reports.append, **given, **settings
        )
        same_bits(networks[-1], before)
        for array in result.get_weights():
            assert np.isfinite(array).all()
        networks.append(result)
    return networks, reports[-1]


def check_what_stays(pruned, shared, quantized):
    """Zeros; 16 values of a kernel; then what is equal inside a filter, in 8 bits.

    Also in depthwise kernels, and before a ReLU layer, where the toolkit omits them.
    """
    for name, kernel in values(shared).items():
        assert len(np.unique(kernel)) <= 16, name
        assert not kernel[values(pruned)[name] == 0].any(), name
        assert (kernel != values(pruned)[name]).any(), name
    after = all_kernels(quantized)
    for name, kernel in all_kernels(shared).items():
        assert not after[name][kernel == 0].any(), name
        assert (after[name] != kernel).any(), name
        for old, new in zip(columns(kernel), columns(after[name]), strict=True):
            assert_on_a_grid(new, name)
            for value in np.unique(old):
                assert len(np.unique(new[old == value])) == 1, name


@pytest.mark.parametrize("build", CHAINED)
def test_prune_cluster_quantize(build, stripes, eagerly):
    (_, *results), _ = chain(build(), stripes, ONCE, input_range=SYMMETRIC)
    check_what_stays(*results)


def test_prune_cluster_quantize_a_trained_network(trained, stripes, eagerly):
    (_, *results), report = chain(trained, stripes, QUICK)
    check_what_stays(*results)
    assert report.top1[1] >= report.top1[0] > 0.9
    assert "quantize" in str(report)
    before, after = (values(model)["block3_depthwise"] for model in results[1:])
    assert len(np.unique(after)) <= len(np.unique(before))  # the kernel has one scale


def test_a_filter_of_zeros_stays_zero(stripes, eagerly):
    model = grouped()
    for name in ("first", "classifier"):
        layer = model.get_layer(name)
        kernel, bias = layer.get_weights()
        kernel[..., 1] = 0
        layer.set_weights([kernel, bias])
    result = steps.quantize(model, stripes, ONCE, input_range=SYMMETRIC, report=quiet)
    for array in result.get_weights():
        assert np.isfinite(array).all()
    for name in ("first", "classifier"):
        kernel = values(result)[name]
        assert not kernel[..., 1].any()
        assert kernel[..., 0].any()


def test_training_that_diverges_is_an_error(stripes, eagerly):
    model = grouped()
    before = copy_of(model)
    wild = dataclasses.replace(QUICK, epochs=1, learning_rate=1e30)
    with pytest.raises(ValueError, match=r"'first' are not finite .* learning_rate"):
        steps.quantize(model, stripes, wild, input_range=SYMMETRIC, report=quiet)
    same_bits(model, before)


def test_quantized_networks_are_small_files(stripes, eagerly):
    codec = pytest.importorskip("mobilenet_tf.codec")
    model = mobilenet_tf.build(
        0.5, base_resolution=32, classes=2, blocks=((512, 2),) * 2
    )
    result = steps.quantize(model, stripes, ONCE, report=quiet)
    kinds = {name: kind for name, kind, *_ in codec.inspect(codec.encode(result))}
    assert "int8" in kinds["block2_pointwise/kernel"]
    for name, kernel in values(result).items():
        for weights in columns(kernel):
            assert_on_a_grid(weights, name)
