"""Training in 8 bits: what comes back from it."""

import dataclasses

import keras
import numpy as np
import pytest
from compressible import NETWORKS, QUICK, grouped, mobilenet, pruned, quiet, values

import mobilenet_tf
from mobilenet_tf import layers
from mobilenet_tf.compression import steps

pytest.importorskip("mobilenet_tf.compression.bridge")
ONCE = dataclasses.replace(QUICK, epochs=1)


def fires():
    """Two Fire modules and a bypass."""
    inputs = keras.Input((32, 32, 3))
    x = layers.conv_relu(inputs, 8, 3, 4, name="conv1")
    first = layers.fire(x, 8, 8, 8, name="fire2")
    second = layers.fire(first, 8, 8, 8, name="fire3")
    x = keras.layers.Add(name="bypass")([first, second])
    x = layers.conv_relu(x, 2, 1, name="conv10")
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, keras.layers.Activation("softmax", name="classifier")(x))


BUILDERS = {
    "mobilenet": mobilenet,
    "separable": lambda: mobilenet(block=layers.fused_separable),
    "fires": fires,
}
BUILDS = [pytest.param(build, id=name) for name, build in BUILDERS.items()] + [
    pytest.param(build, id=f"whole_{name}", marks=pytest.mark.thorough)
    for name, build in NETWORKS.items()
]


def all_kernels(model):
    """Both of a separable layer, unlike `values`."""
    return {
        weight.path: keras.ops.convert_to_numpy(weight)
        for weight in model.weights
        if len(weight.shape) > 1
    }


def columns(kernel):
    """The weights that have one scale: filters, but for the toolkit the whole kernel
    of a depthwise layer."""
    return kernel.reshape(-1, kernel.shape[-1]).T


def assert_on_a_grid(weights, name):
    largest = np.abs(weights).max() or 1
    multiples = weights * np.arange(1, 128)[:, None] / largest
    assert np.abs(multiples - np.rint(multiples)).max(1).min() < 1e-3, name


def clustered(model):
    """A network with few values in each kernel, three quarters of them zero."""
    for layer in model.layers:
        arrays = layer.get_weights()
        layer.set_weights([pruned(one) if one.ndim > 1 else one for one in arrays])
    return steps.cluster(model, clusters=8, report=quiet)


@pytest.mark.parametrize("build", BUILDS)
def test_zeros_and_sharing_inside_a_filter_stay(build, stripes):
    """Also in depthwise kernels, and before a ReLU, where the toolkit omits them."""
    model = clustered(build())
    result = steps.quantize(model, stripes, ONCE, report=quiet)
    for name, before in all_kernels(model).items():
        after = all_kernels(result)[name]
        assert (after != before).any(), name
        assert not after[before == 0].any(), name
        for old, new in zip(columns(before), columns(after), strict=True):
            assert_on_a_grid(new, name)
            for value in np.unique(old):
                assert len(np.unique(new[old == value])) == 1, name


def test_a_filter_of_zeros_stays_one(stripes):
    model = grouped()
    for name in ("first", "classifier"):
        layer = model.get_layer(name)
        kernel, bias = layer.get_weights()
        kernel[..., 1] = 0
        layer.set_weights([kernel, bias])
    result = steps.quantize(model, stripes, ONCE, report=quiet)
    for array in result.get_weights():
        assert np.isfinite(array).all()
    for name in ("first", "classifier"):
        kernel = values(result)[name]
        assert not kernel[..., 1].any()
        assert kernel[..., 0].any()


def test_a_training_that_diverges_is_an_error(stripes):
    wild = dataclasses.replace(ONCE, learning_rate=1e30)
    with pytest.raises(ValueError, match=r"'first' are not finite .* learning_rate"):
        steps.prune(grouped(), stripes, wild, sparsity=0.5, report=quiet)


def test_quantized_networks_are_small_files(stripes):
    codec = pytest.importorskip("mobilenet_tf.compression.codec")
    model = mobilenet_tf.build(
        0.5, base_resolution=32, classes=2, blocks=((512, 2),) * 2
    )
    result = steps.quantize(model, stripes, QUICK, report=quiet)
    kinds = {name: kind for name, kind, *_ in codec.inspect(codec.encode(result))}
    assert "int8" in kinds["block2_pointwise/kernel"]
    for name, kernel in values(result).items():
        for weights in columns(kernel):
            assert_on_a_grid(weights, name)
