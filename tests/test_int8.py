"""What int8 files keep of a network, and how."""

import numpy as np
import pytest
import tensorflow as tf
from conftest import outputs_of

import mobilenet_tf
from experiments.trials.photographs import real_photographs
from mobilenet_tf import export
from mobilenet_tf.export import images
from mobilenet_tf.export.network import Network
from mobilenet_tf.export.tflite import folding, int8
from mobilenet_tf.export.tflite.flatbuffer import File
from mobilenet_tf.export.tflite.interpreter import run
from mobilenet_tf.models import blocks
from mobilenet_tf.models.mobilenet import BLOCKS


def test_scales_of_quantised_weights_are_found_again():
    rng = np.random.default_rng(0)
    steps = rng.uniform(0.01, 1, 20).astype("float32")
    integers = rng.integers(-90, 91, (20, 3, 3, 8))
    weights = (integers * steps[:, None, None, None]).astype("float32")
    scales = int8.best_scales(weights)
    np.testing.assert_allclose(
        int8.rounded(weights, scales) * scales[:, None, None, None], weights, rtol=1e-5
    )
    np.testing.assert_array_equal(int8.best_scales(np.zeros((2, 9))) > 0, True)


def test_scales_are_no_worse_than_the_largest_weight_gives():
    weights = np.random.default_rng(1).normal(size=(32, 64)).astype("float32")

    def error(scales):
        return ((int8.rounded(weights, scales) * scales[:, None] - weights) ** 2).sum(1)

    plain = np.abs(weights).max(1) / 127
    assert (error(int8.best_scales(weights)) <= error(plain) * (1 + 1e-5)).all()


@pytest.fixture(
    scope="module",
    params=[blocks.depthwise_separable, blocks.grouped_separable],
    ids=["narrow", "grouped"],
)
def int8_files(request):
    """The int8 file of a network of narrow layers, unfolded and folded."""
    model = mobilenet_tf.build(
        0.25, base_resolution=64, classes=3, block=request.param, blocks=BLOCKS[:8]
    )
    network = Network.of(model)
    calibration = images.resized(images.default_images(4), network.side)
    plain = int8.quantize(
        network,
        calibration,
        lanes=1,
        float_output=False,
        fit_scales=False,
        correct_biases=False,
    ).content()
    files = {lanes: File(plain) for lanes in (1, 16, 64)}
    for lanes, file in files.items():
        folding.fold_columns(file, lanes)
    return files


@pytest.mark.parametrize("lanes", [16, 64])
def test_folded_columns_give_the_same_integers(int8_files, lanes, tmp_path):
    pytest.importorskip("ai_edge_litert")
    pixels = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3))
    found = []
    for count in (1, lanes):
        path = tmp_path / f"{count}.tflite"
        path.write_bytes(int8_files[count].content())
        found.append(run(path, pixels))
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize(
    "int8_files", [blocks.depthwise_separable], indirect=True, ids=["narrow"]
)
def test_layers_as_wide_as_the_lanes_are_not_folded(int8_files):
    def channels(lanes):
        layers = int8_files[lanes].layers()
        return [len(layer.weights) for layer in layers if layer.axis == 0]

    assert channels(1)[:4] == [8, 16, 32, 32]
    assert channels(16)[:4] == [16, 16, 32, 32]
    assert channels(64)[:4] == [64, 64, 64, 64]
    assert channels(64)[6:] == channels(1)[6:]


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [1, 2, 3])
def test_repeated_kernels(stride, kernel):
    """Against the convolution that they replace."""
    if kernel > stride + 1:
        pytest.skip("pads on the left, where it is not folded")
    rng = np.random.default_rng(0)
    image = rng.normal(size=(1, 4, 12, 5)).astype("float32")
    weights = rng.normal(size=(3, kernel, kernel, 5)).astype("float32")
    expected = tf.nn.conv2d(image, weights.transpose(1, 2, 3, 0), stride, "SAME")
    repeated = folding._repeated(weights, 2, stride).transpose(1, 2, 3, 0)
    folded = image.reshape(1, 4, 12 // (2 * stride), -1)
    found = tf.nn.conv2d(folded, repeated, (stride, 1), "SAME")
    np.testing.assert_allclose(tf.reshape(found, expected.shape), expected, atol=1e-5)


@pytest.mark.parametrize("float_output", [True, False])
def test_int8(float_output, tmp_path):
    pytest.importorskip("ai_edge_litert")
    model = mobilenet_tf.build(0.25, base_resolution=64, classes=3, blocks=BLOCKS[:5])
    path = tmp_path / "model.tflite"
    report = export.litert(
        model,
        path,
        "int8",
        classes=[0] * 16,
        representative_images=images.default_images(40, seed=3),
        min_agreement=0.0,
        float_output=float_output,
    )
    assert report.file_accuracy is not None
    pixels = np.stack([image[:64, :64] for image in images.default_images(3, seed=9)])
    expected = outputs_of(model, pixels / np.float32(127.5) - 1)
    np.testing.assert_allclose(run(path, pixels), expected, atol=0.05)
    with pytest.raises(ValueError, match="min_agreement must be a number in"):
        export.litert(model, tmp_path / "m.tflite", "int8", min_agreement=1.01)


@pytest.fixture(scope="module")
def photographs(shared):
    """Real photographs, their classes, and others to calibrate with."""
    return real_photographs("imagenette112", str(shared / "tfds"))


def verified(model, folder, photographs, every=1, representatives=None):
    """The report of an int8 file on real photographs."""
    pictures, classes, representative = photographs
    return export.litert(
        model,
        folder / "model.tflite",
        "int8",
        images=pictures[::every],
        classes=classes[::every],
        representative_images=representative[:representatives],
    )


def test_int8_keeps_the_accuracy_of_real_weights(shared, photographs, tmp_path):
    """A plain conversion agrees on 83 % of these photographs."""
    pytest.importorskip("ai_edge_litert")
    weights = "mobilenet_0.25_128_keras_applications.weights.h5"
    with pytest.warns(UserWarning, match="is merged into the convolutions"):
        model = mobilenet_tf.build(
            0.25, base_resolution=128, weights=shared / "weights" / weights
        )
    report = verified(model, tmp_path, photographs, every=2, representatives=100)
    assert report.images == 250
    assert report.top1_agreement >= 0.92
    assert report.file_accuracy >= report.model_accuracy - 0.005


def test_int8_of_the_authors_squeezenet(shared, photographs, tmp_path):
    """Its average over positions is taken in float32, or classes would be tied."""
    pytest.importorskip("ai_edge_litert")
    weights = "squeezenet_v1.0_deep_compression.net"
    # The photographs are of 112 px: at twice that it takes four times as long.
    model = mobilenet_tf.build_squeezenet(
        weights=shared / "weights" / weights, resolution=131
    )
    report = verified(model, tmp_path, photographs, every=4, representatives=25)
    assert report.top1_agreement >= 0.9
    assert report.file_accuracy >= report.model_accuracy - 0.02


def test_biases_of_nearly_dead_channels_fit():
    """Weights of 1e-9 and a bias of 3: the scale follows the bias."""
    pytest.importorskip("ai_edge_litert")
    model = mobilenet_tf.build(0.25, base_resolution=64, classes=3, blocks=BLOCKS[:2])
    layer = model.get_layer("block1_pointwise_bn")
    gamma, beta, *rest = layer.get_weights()
    gamma[0], beta[0] = 1e-9, 3.0
    layer.set_weights([gamma, beta, *rest])
    network = Network.of(model)
    calibration = images.resized(images.default_images(4), network.side)
    file = int8.quantize(network, calibration, lanes=1, float_output=True)
    for layer in file.layers():
        limits = np.iinfo("int32")
        if layer.bias.dtype == "int32":
            assert np.abs(layer.bias.astype("int64")).max() < limits.max
