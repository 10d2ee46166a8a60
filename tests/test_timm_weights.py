"""timm's MobileNet v1 weights: padding, epsilon, layout, and the tools after them."""

import json
import sys

import compressible
import keras
import numpy as np
import pytest
import timm_layout
from conftest import outputs_of

import mobilenet_tf
from mobilenet_tf.models import conventions, timm_weights, weights_file

safetensors = pytest.importorskip("safetensors.numpy")
SMALL = {"alpha": 0.25, "base_resolution": 64, "classes": 3}
PUBLISHED = ("mobilenetv1_100", "mobilenetv1_125")


@pytest.fixture(scope="module")
def state():
    return timm_layout.tensors()


@pytest.fixture(scope="module")
def path(state, tmp_path_factory):
    path = tmp_path_factory.mktemp("timm") / "model.safetensors"
    safetensors.save_file(state, path)
    return path


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(5)
    colours, texture = rng.uniform(-0.7, 0.7, (4, 1, 1, 3)), (4, 64, 64, 3)
    return (colours + rng.uniform(-0.3, 0.3, texture)).astype("float32")


@pytest.fixture(scope="module")
def network(path):
    return mobilenet_tf.build(**SMALL, weights=path)


@pytest.mark.any_backend
def test_equal_to_an_independent_implementation(path, state, images):
    model = mobilenet_tf.build(**SMALL, weights=path, classifier_activation=None)
    expected = timm_layout.logits(state, images)
    assert np.ptp(expected, 0).min() > 0.05  # the images matter
    np.testing.assert_allclose(outputs_of(model, images), expected, atol=1e-4)


@pytest.mark.parametrize("option", [{"padding": "same"}, {"epsilon": 1e-3}])
def test_padding_and_epsilon_matter(path, network, images, option):
    (name, value), *_ = option.items()
    with pytest.raises(ValueError, match=f"{name} must be None or .*, got {value!r}"):
        mobilenet_tf.build(**SMALL, weights=path, **option)
    fitting = {"padding": "symmetric", "epsilon": 1e-5}
    other = mobilenet_tf.build(**SMALL, **{**fitting, **option})
    other.set_weights(network.get_weights())
    difference = np.abs(outputs_of(other, images) - outputs_of(network, images)).max()
    assert difference > 1e-3


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_keras_file_of_it_is_built_to_match(network, images, tmp_path, name):
    network.save(tmp_path / name)
    again = mobilenet_tf.build(**SMALL, weights=tmp_path / name)
    expected = outputs_of(network, images)
    np.testing.assert_array_equal(outputs_of(again, images), expected)


def test_a_file_of_weights_alone_needs_the_arguments(network, images, tmp_path):
    network.save_weights(tmp_path / "w.weights.h5")
    again = mobilenet_tf.build(
        **SMALL, padding="symmetric", epsilon=1e-5, weights=tmp_path / "w.weights.h5"
    )
    np.testing.assert_array_equal(
        outputs_of(again, images), outputs_of(network, images)
    )


def test_conventions_of_keras_files(tmp_path):
    theirs = keras.applications.MobileNet((32, 32, 3), 0.25, weights=None, classes=3)
    path = tmp_path / "theirs.keras"
    theirs.save(path)
    assert conventions.of_file(weights_file.read(path)) == conventions.KERAS
    assert conventions.resolve(None, None, None) == ("same", 1e-3)


@pytest.mark.parametrize("side", [63, 64])
def test_symmetric_padding_keeps_the_sizes(side):
    models = [
        mobilenet_tf.build(
            0.25, base_resolution=side, include_top=False, padding=padding
        )
        for padding in ("same", "symmetric")
    ]
    for block in ("block2", "block4", "block13"):
        shapes = {m.get_layer(f"{block}_depthwise").output.shape for m in models}
        assert len(shapes) == 1


def test_another_number_of_classes_is_left_out(path, network):
    with pytest.warns(UserWarning, match="of 3 classes is left out"):
        model = mobilenet_tf.build(0.25, base_resolution=64, classes=5, weights=path)
    kernels = [m.get_layer("block13_pointwise").get_weights() for m in (model, network)]
    np.testing.assert_array_equal(*kernels)


def test_another_width_says_which(path):
    with pytest.raises(ValueError, match=r"pass alpha=0\.25 to load it"):
        mobilenet_tf.build(0.5, base_resolution=64, classes=3, weights=path)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"blocks.1.0.conv_dw.weight": None}, "no tensor 'blocks.1.0.conv_dw.weight'"),
        ({"conv_head.weight": np.zeros((4, 4, 1, 1), "float32")}, "conv_head.weight"),
        ({"bn1.bias": np.full(8, np.nan, "float32")}, "is not finite"),
        ({"conv_stem.weight": np.zeros((8, 27), "float32")}, r"shape \(8, 27\)"),
        ({"bn1.bias": np.zeros(9, "float32")}, r"for 'stem_bn'"),
    ],
)
def test_other_networks(state, tmp_path, change, match):
    changed = {**state, **change}
    tensors = {name: array for name, array in changed.items() if array is not None}
    safetensors.save_file(tensors, tmp_path / "m.safetensors")
    with pytest.raises(ValueError, match=match) as error:
        mobilenet_tf.build(**SMALL, weights=tmp_path / "m.safetensors")
    assert "m.safetensors' is damaged or of another network" in str(error.value)


@pytest.mark.parametrize("size", [0, 4, 100, -4])
def test_damaged_files(path, tmp_path, size):
    (tmp_path / "cut.safetensors").write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match=r"cut.safetensors' is damaged"):
        mobilenet_tf.build(**SMALL, weights=tmp_path / "cut.safetensors")


@pytest.mark.parametrize(
    ("config", "match"),
    [
        ({"architecture": "mobilenetv2_100"}, "is of 'mobilenetv2_100'"),
        ({"pretrained_cfg": {"mean": [0.485, 0.456, 0.406]}}, "input scale of mean"),
        ([], "is damaged"),
    ],
)
def test_the_config_beside_a_file(path, tmp_path, config, match):
    copy = tmp_path / "model.safetensors"
    copy.write_bytes(path.read_bytes())
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=match):
        timm_weights.read(copy)


def test_safetensors_is_missing(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match=r"pip install 'mobilenet_tf\[hub\]'"):
        mobilenet_tf.build(**SMALL, weights=path)


def test_squeezenet_has_no_such_files(path):
    with pytest.raises(ValueError, match=r"must be None or the path of a .h5 or"):
        mobilenet_tf.build_squeezenet(weights=path)


@pytest.mark.parametrize(
    ("argument", "value"), [("padding", "valid"), ("epsilon", 0), ("epsilon", "1")]
)
def test_illegal_options(argument, value):
    with pytest.raises(ValueError, match=f"{argument} must be"):
        mobilenet_tf.build(**{argument: value})


def test_the_codec_keeps_it(network, images):
    codec = pytest.importorskip("mobilenet_tf.codec")
    again = codec.decode(codec.encode(network))
    np.testing.assert_array_equal(
        outputs_of(again, images), outputs_of(network, images)
    )


def test_channels_are_removed(network, images):
    from mobilenet_tf.compression import remove_channels

    narrow = remove_channels(network, fraction=0.1)
    assert narrow.count_params() < network.count_params()
    assert outputs_of(narrow, images).shape == (4, 3)


@pytest.mark.parametrize("quantization", [None, "int8"])
def test_litert_files_are_verified(network, images, tmp_path, quantization):
    pytest.importorskip("ai_edge_litert")
    from mobilenet_tf import export

    pixels = list(((images + 1) * 127.5).astype("uint8"))
    given = {"representative_images": pixels} if quantization else {}
    report = export.litert(
        network, tmp_path / "m.tflite", quantization, images=pixels, **given
    )
    assert report.top1_agreement == 1
    assert report.maximum_difference < (0.05 if quantization else 1e-4)


def test_symmetric_padding_is_trained_and_quantised(stripes):
    pytest.importorskip("tensorflow_model_optimization")
    from mobilenet_tf.compression import quantize
    from mobilenet_tf.training import evaluate, fit

    model = compressible.mobilenet(padding="symmetric", epsilon=1e-5)
    fit(model, stripes, compressible.LEARNING)
    assert evaluate(model, stripes).top1 > 0.9
    eight = quantize(model, stripes, compressible.QUICK)
    assert evaluate(eight, stripes).top1 > 0.9
    assert eight.get_layer("stem_pad").padding == ((1, 1), (1, 1))
    assert eight.get_layer("stem_bn").epsilon == 1e-5


@pytest.fixture(scope="module")
def timm():
    try:
        return pytest.importorskip("timm")
    except RuntimeError as error:  # a torchvision that was built for another PyTorch
        pytest.skip(f"needs timm, which cannot be imported: {error}")


@pytest.mark.thorough
@pytest.mark.parametrize(("name", "alpha"), [*zip(PUBLISHED, (1, 1.25), strict=True)])
def test_equal_to_timm(timm, tmp_path, name, alpha):
    """timm's own network, with random weights and statistics."""
    import torch

    theirs = timm.create_model(name).eval()
    state = timm_layout.tensors(alpha, classes=1000)
    theirs.load_state_dict({key: torch.tensor(array) for key, array in state.items()})
    assert theirs.default_cfg["mean"] == theirs.default_cfg["std"] == (0.5, 0.5, 0.5)
    safetensors.save_file(state, tmp_path / "model.safetensors")
    model = mobilenet_tf.build(
        alpha, weights=tmp_path / "model.safetensors", classifier_activation=None
    )
    pixels = np.random.default_rng(6).integers(0, 256, (4, 7, 7, 3)).astype("float32")
    pixels = pixels.repeat(32, 1).repeat(32, 2)
    scaled = torch.tensor((pixels / 255 - 0.5) / 0.5).permute(0, 3, 1, 2)
    with torch.no_grad():
        expected = theirs(scaled).numpy()
    assert np.ptp(expected, 0).mean() > 0.02
    actual = outputs_of(model, mobilenet_tf.preprocess_input(pixels))
    np.testing.assert_allclose(actual, expected, atol=1e-4)
