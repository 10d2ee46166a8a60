"""Exported files, used as their users use them."""

import functools
import json
import os
import re
import struct
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT

import mobilenet_tf
from benchmarks.photographs import real_photographs
from mobilenet_tf import export
from mobilenet_tf.data.preprocessing import Preprocessing
from mobilenet_tf.export import folding, images, int8, metadata, parity
from mobilenet_tf.export.flatbuffer import File
from mobilenet_tf.export.interpreter import run
from mobilenet_tf.imagenet import PAIRS

CLIENT = """
import sys, tensorflow as tf
loaded = tf.saved_model.load(sys.argv[1])
files = [open(name, "rb").read() for name in sys.argv[2:]]
found = loaded.signatures["classify_jpeg"](tf.constant(files))
for labels, shares in zip(found["top_labels"], found["top_probabilities"]):
    print(labels[0].numpy().decode(), float(shares[0]))
for name, dtype in (("serving_default", tf.float32), ("serving_uint8", tf.uint8)):
    images = tf.cast(tf.stack([tf.io.decode_image(files[0], 3)]), dtype)
    logits = loaded.signatures[name](images)["logits"]
    tf.debugging.assert_near(logits, found["logits"][:1], atol=1e-4)
assert "mobilenet_tf" not in sys.modules
"""


@pytest.fixture(scope="module")
def small():
    keras.utils.set_random_seed(1)
    return mobilenet_tf.build(0.25, base_resolution=64, classes=3)


@pytest.fixture(scope="module")
def exported(small, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "small"
    report = export.saved_model(small, path, labels=["cat", "dog", "fox"], top_k=2)
    return path, report


def test_client_with_tensorflow_alone(small, exported, tmp_path):
    path, _ = exported
    pictures = images.photographs(2, seed=5)
    files = []
    for index, image in enumerate(pictures):
        files.append(str(tmp_path / f"{index}.{('png', 'jpg')[index]}"))
        encode = (tf.io.encode_png, tf.io.encode_jpeg)[index]
        tf.io.write_file(files[-1], encode(image))
        pictures[index] = tf.io.decode_image(tf.io.read_file(files[-1]), 3).numpy()
    output = subprocess.run(
        [sys.executable, "-c", CLIENT, str(path), *files],
        cwd=tmp_path,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    labels, shares = zip(*(line.split() for line in output.splitlines()), strict=True)
    inputs = np.stack([Preprocessing().apply(image, 64) for image in pictures])
    expected = small.predict(inputs, verbose=0)
    best = expected.argmax(1)
    assert labels == tuple(["cat", "dog", "fox"][index] for index in best)
    np.testing.assert_allclose([float(s) for s in shares], expected.max(1), atol=1e-4)


def test_saved_model_cli_shows_the_signatures(exported):
    output = subprocess.run(
        [
            *(sys.executable, "-m", "tensorflow.python.tools.saved_model_cli"),
            *("show", "--dir", str(exported[0]), "--tag_set", "serve"),
        ],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    for name in ("serving_default", "serving_uint8", "classify_jpeg"):
        assert name in output


def test_report_and_card_stand_beside(exported):
    path, report = exported
    facts = json.loads(path.with_name("small.json").read_text())
    assert facts["maximum_difference"] == report.maximum_difference <= 1e-4
    assert facts["top1_agreement"] == 1.0
    card = path.with_name("small.md").read_text()
    assert card.startswith("---\nlibrary_name: keras\n")
    assert "3 classes" in card


def pruned(model):
    """Nine of ten weights are zero."""
    weights = model.get_weights()
    for values in weights:
        if values.ndim > 1:
            values[np.abs(values) < np.quantile(np.abs(values), 0.9)] = 0.0
    model.set_weights(weights)
    return model


def squeezenet(*arguments, **options):
    return mobilenet_tf.build_squeezenet(*arguments, resolution=64, **options)


NETWORKS = {
    "features": lambda: mobilenet_tf.build(0.25, base_resolution=64, include_top=False),
    "pruned": lambda: pruned(mobilenet_tf.build(0.25, base_resolution=64, classes=5)),
    "squeezenet_1.0": lambda: squeezenet(classes=4),
    "squeezenet_1.1": lambda: squeezenet("1.1", classes=4, classifier_activation=None),
    "squeezenet_features": lambda: squeezenet(include_top=False),
    "squeezenet_pruned": lambda: pruned(squeezenet("1.1", classes=4)),
}
NETWORKS |= {
    f"{alpha}_{side}": functools.partial(
        mobilenet_tf.build, alpha, base_resolution=side, classes=10
    )
    for alpha, side in PAIRS
}


def int8_of_anything(model, path):
    # Untrained networks find all classes equally likely: agreement says nothing.
    return export.litert(
        model,
        path,
        "int8",
        images=images.photographs(4),
        representative_images=images.photographs(4, seed=3),
        min_agreement=0.0,
    )


FORMATS = {
    "saved_model": export.saved_model,
    "tflite": export.litert,
    "float16.tflite": functools.partial(export.litert, quantization="float16"),
    "int8.tflite": int8_of_anything,
    "onnx": export.onnx,
}


def pairs():
    """Every network in every format; without --thorough by turns in some of them."""
    for place, network in enumerate(NETWORKS):
        for turn, name in enumerate(FORMATS):
            quick = (place - turn) % len(FORMATS) == 0
            marks = () if quick else pytest.mark.thorough
            yield pytest.param(network, name, marks=marks, id=f"{network}-{name}")


@pytest.mark.parametrize(("network", "name"), list(pairs()))
def test_every_network_in_every_format(network, name, tmp_path):
    for package in ("ai_edge_litert", "onnxruntime", "tf2onnx"):
        pytest.importorskip(package)
    keras.utils.set_random_seed(3)
    model = NETWORKS[network]()
    for layer in model.layers:
        if layer.name.endswith("_bn"):
            # Signals would fade, since nothing has been trained.
            layer.gamma.assign(layer.gamma * 4)
            layer.beta.assign(layer.beta + 0.5)
    report = FORMATS[name](model, tmp_path / f"model.{name}")
    outputs = model.predict(images.scaled(model, images.photographs(4)), verbose=0)
    assert report.maximum_difference <= (
        report.tolerance or 0.1 * np.abs(outputs).max()
    )
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("quantization", [None, "float16"])
def test_litert(small, quantization, tmp_path):
    pytest.importorskip("ai_edge_litert")
    path = tmp_path / "model.tflite"
    report = export.litert(small, path, quantization, labels=["cat", "dog", "fox"])
    pixels = np.stack([image[:64, :64] for image in images.photographs(3, seed=9)])
    expected = small.predict(pixels / np.float32(127.5) - 1, verbose=0)
    np.testing.assert_allclose(run(path, pixels), expected, atol=report.tolerance)
    bytes_per_weight = path.stat().st_size / small.count_params()
    assert abs(bytes_per_weight - (2 if quantization else 4)) < 0.5
    assert zipfile.ZipFile(path).read("labels.txt") == b"cat\ndog\nfox\n"


def test_metadata_of_a_litert_file(small, tmp_path):
    """Read by the offsets of the format, not with the code that wrote it."""
    file = File(int8.converted(small))
    metadata.labelled(file, "small", 64, ["a", "b", "c"])
    (entry,) = [one for one in file.model.metadata if one.name == "TFLITE_METADATA"]
    content = bytes(file.model.buffers[entry.buffer].data)
    assert content[4:8] == b"M001"

    def field(table, slot):
        vtable = table - struct.unpack_from("<i", content, table)[0]
        return table + struct.unpack_from("<H", content, vtable + 4 + 2 * slot)[0]

    def follow(place):
        return place + struct.unpack_from("<I", content, place)[0]

    def text(place):
        start = follow(place)
        (length,) = struct.unpack_from("<I", content, start)
        return content[start + 4 : start + 4 + length].decode()

    def first(place):
        return follow(follow(place) + 4)

    model = follow(0)
    assert text(field(model, 0)) == "small"
    graph = first(field(model, 3))
    image, output = first(field(graph, 2)), first(field(graph, 3))
    assert text(field(image, 0)) == "image"
    properties = follow(field(follow(field(image, 3)), 1))
    assert content[field(properties, 0)] == 1  # RGB
    size = follow(field(properties, 1))
    assert struct.unpack_from("<I", content, field(size, 0)) == (64,)
    labels = first(field(output, 6))
    assert text(field(labels, 0)) == "labels.txt"
    assert content[field(labels, 2)] == 2  # labels of an axis


def test_onnx(small, tmp_path):
    """A client that has onnxruntime alone."""
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    path = tmp_path / "model.onnx"
    export.onnx(small, path, labels=["cat", "dog", "fox"])
    session = onnxruntime.InferenceSession(path)
    assert session.get_modelmeta().custom_metadata_map["labels"] == "cat\ndog\nfox"
    pixels = np.stack([image[:64, :64] for image in images.photographs(3, seed=9)])
    (found,) = session.run(None, {"image": pixels.astype("float32")})
    expected = small.predict(pixels / np.float32(127.5) - 1, verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    with pytest.raises(ValueError, match=r"path must end in \.onnx"):
        export.onnx(small, tmp_path / "model")


def test_the_card_of_what_was_measured(small, tmp_path):
    pytest.importorskip("onnxruntime")
    classes = [0] * 16
    path = tmp_path / "model.onnx"
    report = export.onnx(small, path, classes=classes, data="pets")
    card = path.with_name("model.onnx.md").read_text()
    assert 'datasets:\n- "pets"\n' in card
    assert (
        f"metrics:\n    - {{type: accuracy, value: {report.file_accuracy:.4f}}}" in card
    )
    assert "Trained on: pets" in card


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


@pytest.fixture(scope="module")
def int8_files():
    """The int8 file of a narrow network, unfolded and folded."""
    model = mobilenet_tf.build(0.25, base_resolution=64, classes=3)
    calibration = images.scaled(model, images.photographs(4))
    options = {"float_output": False, "fit_scales": False, "correct_biases": False}
    return {
        lanes: int8.quantize(model, calibration, lanes=lanes, **options)
        for lanes in (1, 16, 64)
    }


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
    model = mobilenet_tf.build(0.25, base_resolution=64, classes=3)
    path = tmp_path / "model.tflite"
    report = export.litert(
        model,
        path,
        "int8",
        classes=[0] * 16,
        representative_images=images.photographs(40, seed=3),
        min_agreement=0.0,
        float_output=float_output,
    )
    assert 0 <= report.file_accuracy <= 1
    pixels = np.stack([image[:64, :64] for image in images.photographs(3, seed=9)])
    expected = model.predict(pixels / np.float32(127.5) - 1, verbose=0)
    np.testing.assert_allclose(run(path, pixels), expected, atol=0.05)
    with pytest.raises(ValueError, match="min_agreement must be a number in"):
        export.litert(model, tmp_path / "m.tflite", "int8", min_agreement=1.01)


def test_agreement_and_accuracy():
    outputs = np.eye(4)
    swapped = outputs[[0, 1, 3, 2]]
    quantized = {"names_classes": True, "tolerance": None}
    with pytest.raises(ValueError, match=r"less than min_agreement=0.9: .* on 50.0 %"):
        parity.compare("int8", outputs, swapped, min_agreement=0.9, **quantized)
    report = parity.compare("int8", outputs, swapped, classes=range(4), **quantized)
    assert (report.model_accuracy, report.file_accuracy) == (1.0, 0.5)
    assert "top-1 50.0 % against 100.0 %" in str(report)


def test_int8_keeps_the_accuracy_of_real_weights(shared, tmp_path):
    """A plain conversion agrees on 83 % of these photographs."""
    pytest.importorskip("ai_edge_litert")
    weights = "mobilenet_0.25_128_keras_applications.weights.h5"
    model = mobilenet_tf.build(
        0.25, base_resolution=128, weights=shared / "weights" / weights
    )
    proof, classes, representative = real_photographs(
        "imagenette112", str(shared / "tfds")
    )
    report = export.litert(
        model,
        tmp_path / "model.tflite",
        "int8",
        images=proof,
        classes=classes,
        representative_images=representative,
    )
    assert report.images == 500
    assert report.top1_agreement >= 0.92
    assert report.file_accuracy >= report.model_accuracy - 0.005


def test_int8_of_the_authors_squeezenet(shared, tmp_path):
    """Its average over positions is taken in float32, or classes would be tied."""
    pytest.importorskip("ai_edge_litert")
    weights = "squeezenet_v1.0_deep_compression.net"
    model = mobilenet_tf.build_squeezenet(weights=shared / "weights" / weights)
    proof, classes, representative = real_photographs(
        "imagenette112", str(shared / "tfds")
    )
    report = export.litert(
        model,
        tmp_path / "model.tflite",
        "int8",
        images=proof[::4],
        classes=classes[::4],
        representative_images=representative[:50],
    )
    assert report.top1_agreement >= 0.9
    assert report.file_accuracy >= report.model_accuracy - 0.02


def test_litert_arguments(small, tmp_path):
    with pytest.raises(ValueError, match="quantization must be one of None"):
        export.litert(small, tmp_path / "m.tflite", "int4")
    with pytest.raises(ValueError, match="representative_images must be given for"):
        export.litert(small, tmp_path / "m.tflite", "int8")
    with pytest.raises(ValueError, match="path must end in"):
        export.litert(small, tmp_path / "model")
    with pytest.raises(ValueError, match="lanes must be an integer >= 1, got 0"):
        export.litert(small, tmp_path / "m.tflite", lanes=0)
    with pytest.raises(ValueError, match=r"images must be uint8 of shape \(H, W, 3\)"):
        export.litert(small, tmp_path / "m.tflite", images=[np.zeros((8, 8, 3))])
    with pytest.raises(ValueError, match="at least one image"):
        export.litert(small, tmp_path / "m.tflite", images=[])
    with pytest.raises(ValueError, match="one for each of 16 images, got 1"):
        export.litert(small, tmp_path / "m.tflite", classes=[0])
    (tmp_path / "m.tflite.md").touch()
    with pytest.raises(ValueError, match=r"must not exist yet, .*m\.tflite\.md'"):
        export.litert(small, tmp_path / "m.tflite")


def test_nothing_is_left_when_the_proof_fails(small, tmp_path):
    with pytest.raises(ValueError, match="not equal to the model: saved_model against"):
        export.saved_model(small, tmp_path / "model", tolerance=-1.0)
    assert not list(tmp_path.iterdir())


def test_a_nan_is_not_equal():
    outputs = np.full((2, 3), np.nan)
    with pytest.raises(ValueError, match="not equal"):
        parity.compare("onnx", np.zeros((2, 3)), outputs, names_classes=True)


def test_features_agree_by_their_direction():
    features = np.random.default_rng(0).normal(size=(5, 4, 4, 8))
    quantized = {"names_classes": False, "tolerance": None, "min_agreement": 0.9}
    report = parity.compare("int8", features, features + 0.01, **quantized)
    assert report.top1_agreement is None
    assert 0.99 < report.similarity < 1
    with pytest.raises(ValueError, match=r"less than min_agreement=0.9"):
        parity.compare("int8", features, features[::-1], **quantized)
    with pytest.raises(ValueError, match=r"outputs of shape \(4, .* of \(5,"):
        parity.compare("int8", features, features[1:], **quantized)


def test_another_activation_than_softmax_is_refused(tmp_path):
    model = mobilenet_tf.build(
        0.25, base_resolution=32, classes=3, classifier_activation="sigmoid"
    )
    with pytest.raises(ValueError, match="must be 'softmax' or None here, got 'sigm"):
        export.saved_model(model, tmp_path / "model")
    with pytest.raises(ValueError, match="must be 'softmax' or None here, got 'sigm"):
        export.litert(
            model,
            tmp_path / "m.tflite",
            "int8",
            representative_images=images.photographs(2),
        )
    assert not list(tmp_path.iterdir())


def test_biases_of_nearly_dead_channels_fit():
    """Weights of 1e-9 and a bias of 3: the scale follows the bias."""
    pytest.importorskip("ai_edge_litert")
    model = mobilenet_tf.build(0.25, base_resolution=64, classes=3)
    layer = model.get_layer("block1_pointwise_bn")
    gamma, beta, *rest = layer.get_weights()
    gamma[0], beta[0] = 1e-9, 3.0
    layer.set_weights([gamma, beta, *rest])
    calibration = images.scaled(model, images.photographs(4))
    file = int8.quantize(model, calibration, lanes=1, float_output=True)
    for layer in file.layers():
        limits = np.iinfo("int32")
        if layer.bias.dtype == "int32":
            assert np.abs(layer.bias.astype("int64")).max() < limits.max


def test_everything_of_the_package_is_at_hand():
    command = (
        "import mobilenet_tf; mobilenet_tf.export.litert; mobilenet_tf.compression"
    )
    subprocess.run([sys.executable, "-c", command], check=True, cwd=ROOT)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = mobilenet_tf.nothing


def test_bad_arguments(small, exported, tmp_path):
    with pytest.raises(ValueError, match="path must not exist yet"):
        export.saved_model(small, exported[0])
    with pytest.raises(ValueError, match="labels must be 3 names, got 2"):
        export.saved_model(small, tmp_path / "model", labels=["a", "b"])
    with pytest.raises(ValueError, match="top_k must be an integer >= 1, got 0"):
        export.saved_model(small, tmp_path / "model", top_k=0)
    assert not list(tmp_path.iterdir())


def test_command_line(small, tmp_path):
    pytest.importorskip("ai_edge_litert")
    small.save_weights(tmp_path / "small.weights.h5")
    labels = tmp_path / "labels.txt"
    labels.write_text("cat\ndog\nfox\n")
    for index, image in enumerate(images.photographs(60)):
        folder = tmp_path / "images" / ("cat", "dog", "fox")[index % 3]
        file = str(folder / f"{index}.png")
        tf.io.write_file(file, tf.io.encode_png(image))
    command = [sys.executable, "-m", "mobilenet_tf.export", "--alpha=0.25"]
    command += ["--base_resolution=64", "--classes=3", "--format=litert_int8"]
    command += [f"--weights={tmp_path / 'small.weights.h5'}", f"--labels={labels}"]
    command += [f"--output={tmp_path / 'out.tflite'}"]

    def export_with(*more):
        return subprocess.run(
            [*command, *more], cwd=ROOT, capture_output=True, check=False, text=True
        )

    missing = export_with()
    assert missing.returncode == 1
    assert "export: error: images must be given for litert_int8" in missing.stderr
    done = export_with(f"--images={tmp_path / 'images'}")
    assert done.returncode == 0, done.stderr
    assert "litert int8 against Keras on 30 images" in done.stdout
    assert re.search(r"top-1 \d+\.\d % against \d+\.\d %", done.stdout)
    assert (tmp_path / "out.tflite.md").exists()


def test_folder_without_photographs(tmp_path):
    with pytest.raises(ValueError, match="at least two JPEG or PNG files"):
        images.read_folder(tmp_path)
