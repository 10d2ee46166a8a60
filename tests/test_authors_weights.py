"""The compressed file of the SqueezeNet authors."""

import warnings

import keras
import numpy as np
import pytest

from experiments.published.squeezenet import kept_weights
from mobilenet_tf import build_squeezenet
from mobilenet_tf.models import squeezenet_release


@pytest.fixture
def path(shared):
    return shared / "weights" / "squeezenet_v1.0_deep_compression.net"


def test_entries_and_zeros(path):
    layers = squeezenet_release.read(path)
    assert sum(len(layer.indices) for layer in layers.values()) == 422_083
    model = build_squeezenet(weights=path)
    for name, percent in kept_weights():
        kernel = model.get_layer(name).get_weights()[0]
        share = 100 * np.count_nonzero(kernel) / kernel.size
        if name == "fire8_expand3x3":
            percent = 30  # the printed 33 is a slip, see TABLE1_SLIPS
        assert abs(share - percent) < 1.5, (name, share)


@pytest.mark.any_backend
def test_equals_an_independent_network(path):
    """Caffe's arithmetic in numpy, on BGR minus the mean, without our layers."""
    stored = squeezenet_release.read(path)
    image = np.random.default_rng(0).integers(0, 256, (227, 227, 3), "uint8")
    expected = _caffe_logits(stored, image)
    model = build_squeezenet(weights=path, classifier_activation=None)
    scaled = image[None].astype("float32") / 127.5 - 1
    logits = keras.ops.convert_to_numpy(model(scaled))[0]
    np.testing.assert_allclose(logits, expected, atol=2e-4 * expected.max())


@pytest.mark.any_backend
def test_other_classes_keep_the_features(path):
    with pytest.warns(UserWarning, match="has 1000 classes and is skipped"):
        model = build_squeezenet(weights=path, classes=10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole = build_squeezenet(weights=path)
    with pytest.warns(UserWarning, match="is skipped; .* has no classes"):
        body = build_squeezenet(weights=path, include_top=False)
    for other in (model, body):
        np.testing.assert_array_equal(
            other.get_layer("fire9_squeeze").get_weights()[0],
            whole.get_layer("fire9_squeeze").get_weights()[0],
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:-1], "675,762 bytes instead of 675,763"),
        (lambda data: data + b"x", "675,764 bytes instead of 675,763"),
        (lambda data: data[:50], "it has 50 bytes"),
        (lambda data: b"\xff" * 4 + data[4:], "counts of stored entries"),
        (lambda data: data[:104] + b"\x01" + data[105:], "begin with zero"),
        (lambda data: data[:108] + b"\xff" * 4 + data[112:], "not finite"),
        (lambda data: data[:-9000] + b"\xff" * 9000, "beyond the 512,000 weights"),
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "SHA-256"),
    ],
)
def test_damaged(path, tmp_path, change, message):
    damaged = tmp_path / "damaged.net"
    damaged.write_bytes(change(path.read_bytes()))
    with pytest.raises(ValueError, match=message):
        squeezenet_release.read(damaged)


@pytest.mark.parametrize(
    "arguments",
    [{"version": "1.1"}, {"bypass": "simple"}, {"squeeze_ratio": 0.5}],
)
def test_of_another_network(path, arguments):
    with pytest.raises(ValueError, match="weights of the authors"):
        build_squeezenet(weights=path, **arguments)


def _caffe_logits(stored, image):
    """Forward pass of SqueezeNet 1.0 over one image, `(H, W, C)` throughout."""
    windows = np.lib.stride_tricks.sliding_window_view

    def convolution(x, name, stride=1, padding=0):
        layer = stored[name]
        size = layer.shape[-1]
        x = np.pad(x, ((padding, padding), (padding, padding), (0, 0)))
        x = windows(x, (size, size), (0, 1))[::stride, ::stride]  # H, W, C, size, size
        x = np.tensordot(x, layer.weights, ((2, 3, 4), (1, 2, 3))) + layer.bias
        return np.maximum(x, 0)

    def pool(x):
        out = -(-(len(x) - 3) // 2) + 1
        rows = [x[2 * y : 2 * y + 3].max(0) for y in range(out)]
        columns = np.stack(rows, 1)
        return np.stack([columns[2 * i : 2 * i + 3].max(0) for i in range(out)], 1)

    def fire(x, index):
        x = convolution(x, f"fire{index}_squeeze")
        small = convolution(x, f"fire{index}_expand1x1")
        large = convolution(x, f"fire{index}_expand3x3", padding=1)
        return np.concatenate([small, large], -1)

    x = image[..., ::-1].astype("float64") - squeezenet_release.MEAN_BGR
    x = pool(convolution(x, "conv1", stride=2))
    for index in range(2, 10):
        x = fire(x, index)
        if index in (4, 8):
            x = pool(x)
    return convolution(x, "conv10", padding=1).mean((0, 1))
