"""Exported files, used as their users use them."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT

import mobilenet_tf
from mobilenet_tf import export
from mobilenet_tf.data import photographs
from mobilenet_tf.data.catalogue import open_source
from mobilenet_tf.data.preprocessing import Preprocessing
from mobilenet_tf.export import int8, parity
from mobilenet_tf.export.interpreter import run

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
    images = parity.photographs(2, seed=5)
    files = []
    for index, image in enumerate(images):
        files.append(str(tmp_path / f"{index}.png"))
        tf.io.write_file(files[-1], tf.io.encode_png(image))
    output = subprocess.run(
        [sys.executable, "-c", CLIENT, str(path), *files],
        cwd=tmp_path,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    labels, shares = zip(*(line.split() for line in output.splitlines()), strict=True)
    inputs = np.stack([Preprocessing().apply(image, 64) for image in images])
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


NETWORKS = pytest.mark.parametrize(
    "build",
    [
        lambda: mobilenet_tf.build(0.25, base_resolution=64, include_top=False),
        lambda: mobilenet_tf.build_squeezenet(resolution=64, classes=4),
        lambda: mobilenet_tf.build_squeezenet(
            "1.1", resolution=64, classes=4, classifier_activation=None
        ),
    ],
)


@NETWORKS
def test_other_networks(build, tmp_path):
    report = export.saved_model(build(), tmp_path / "model")
    assert report.maximum_difference <= report.tolerance


@NETWORKS
@pytest.mark.parametrize("quantization", [None, "float16"])
def test_litert(build, quantization, tmp_path):
    pytest.importorskip("ai_edge_litert")
    model, path = build(), tmp_path / "model.tflite"
    report = export.litert(model, path, quantization)
    assert report.maximum_difference <= report.tolerance
    pixels = np.stack([image[:64, :64] for image in parity.photographs(3, seed=9)])
    expected = model.predict(pixels / np.float32(127.5) - 1, verbose=0)
    np.testing.assert_allclose(run(path, pixels), expected, atol=report.tolerance)
    bytes_per_weight = path.stat().st_size / model.count_params()
    assert abs(bytes_per_weight - (2 if quantization else 4)) < 0.5


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
        representative_images=parity.photographs(40, seed=3),
        min_agreement=0.0,
        float_output=float_output,
    )
    assert 0 <= report.file_accuracy <= 1
    pixels = np.stack([image[:64, :64] for image in parity.photographs(3, seed=9)])
    expected = model.predict(pixels / np.float32(127.5) - 1, verbose=0)
    np.testing.assert_allclose(run(path, pixels), expected, atol=0.05)
    with pytest.raises(ValueError, match="min_agreement must be a number in"):
        export.litert(model, tmp_path / "m.tflite", "int8", min_agreement=1.01)


def test_too_little_agreement_leaves_no_file(tmp_path):
    outputs = np.eye(4)
    with pytest.raises(ValueError, match="best class of 50"):
        parity.compare_classes("litert int8", outputs, outputs[[0, 1, 3, 2]], 0.9)


def test_int8_keeps_the_accuracy_of_real_weights(shared, tmp_path):
    """A plain conversion agrees on 83 % of these photographs."""
    pytest.importorskip("ai_edge_litert")
    weights = "mobilenet_0.25_128_keras_applications.weights.h5"
    model = mobilenet_tf.build(
        0.25, base_resolution=128, weights=shared / "weights" / weights
    )
    found = photographs.from_tfds("imagenette112", str(shared / "tfds"))
    images, classes = zip(*found.images.as_numpy_iterator(), strict=True)
    source = open_source("imagenette112", str(shared / "tfds"))
    others = source.builder.as_dataset(split="train[:200]").as_numpy_iterator()
    representative = [
        example["image"]
        for example in others
        if not example["file_name"].startswith(b"ILSVRC2012_val")
    ]
    report = export.litert(
        model,
        tmp_path / "model.tflite",
        "int8",
        images=images,
        classes=classes,
        representative_images=representative,
    )
    assert report.images == 500
    assert report.top1_agreement >= 0.92
    assert report.file_accuracy >= report.model_accuracy - 0.005


def test_litert_arguments(small, tmp_path):
    with pytest.raises(ValueError, match="quantization must be one of None"):
        export.litert(small, tmp_path / "m.tflite", "int4")
    with pytest.raises(ValueError, match="representative_images must be given for"):
        export.litert(small, tmp_path / "m.tflite", "int8")
    with pytest.raises(ValueError, match="path must end in"):
        export.litert(small, tmp_path / "model")
    with pytest.raises(ValueError, match=r"images must be uint8 of shape \(H, W, 3\)"):
        export.litert(small, tmp_path / "m.tflite", images=[np.zeros((8, 8, 3))])
    with pytest.raises(ValueError, match="at least one image"):
        export.litert(small, tmp_path / "m.tflite", images=[])


def test_nothing_is_left_when_the_proof_fails(small, tmp_path):
    with pytest.raises(ValueError, match="not equal to the model: saved_model against"):
        export.saved_model(small, tmp_path / "model", tolerance=-1.0)
    assert not list(tmp_path.iterdir())


def test_a_nan_is_not_equal():
    outputs = np.full((2, 3), np.nan)
    with pytest.raises(ValueError, match="not equal"):
        parity.compare("saved_model", np.zeros((2, 3)), outputs)


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
    (tmp_path / "images").mkdir()
    for index, image in enumerate(parity.photographs(60)):
        file = str(tmp_path / "images" / f"{index}.png")
        tf.io.write_file(file, tf.io.encode_png(image))
    command = [sys.executable, "-m", "mobilenet_tf.export", "--alpha=0.25"]
    command += ["--base_resolution=64", "--classes=3", "--format=litert_int8"]
    command += [f"--weights={tmp_path / 'small.weights.h5'}"]
    command += [f"--output={tmp_path / 'out.tflite'}"]

    def export_with(*more):
        return subprocess.run(
            [*command, *more], cwd=ROOT, capture_output=True, check=False, text=True
        )

    missing = export_with()
    assert missing.returncode == 1
    assert "export: error: representative_images must be given" in missing.stderr
    done = export_with(f"--images={tmp_path / 'images'}")
    assert done.returncode == 0, done.stderr
    assert "litert int8 against Keras on 30 images" in done.stdout
    assert (tmp_path / "out.tflite.md").exists()


def test_folder_without_photographs(tmp_path):
    with pytest.raises(ValueError, match="at least two JPEG or PNG files"):
        parity.read_photographs(tmp_path)
