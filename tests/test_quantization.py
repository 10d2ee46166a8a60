"""Training in 8 bits: what comes back from it."""

import dataclasses

import numpy as np
import pytest
from compressible import QUICK, grouped, quiet, values

import mobilenet_tf
from mobilenet_tf.compression import steps

pytest.importorskip("mobilenet_tf.compression.bridge")
ONCE = dataclasses.replace(QUICK, epochs=1)


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


def test_quantized_kernels_are_multiples_of_a_scale(trained, stripes):
    result = steps.quantize(trained, stripes, QUICK, report=quiet)
    for name, kernel in values(result).items():
        # The toolkit gives a depthwise kernel one scale, others one per filter.
        for one in kernel.reshape(-1, kernel.shape[-1]).T:
            scales = np.abs(one).max() / np.arange(1, 128)[:, None]
            multiples = one / scales
            rounding = np.abs(multiples - np.rint(multiples)).max(1)
            assert rounding.min() < 1e-3, name


def test_quantized_networks_are_small_files(stripes):
    codec = pytest.importorskip("mobilenet_tf.compression.codec")
    model = mobilenet_tf.build(
        0.5, base_resolution=32, classes=2, blocks=((512, 2),) * 2
    )
    result = steps.quantize(model, stripes, QUICK, report=quiet)
    kinds = {name: kind for name, kind, *_ in codec.inspect(codec.encode(result))}
    assert "int8" in kinds["block2_pointwise/kernel"]
