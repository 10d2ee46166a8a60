"""SavedModels, used as their users use them."""

import io
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import STARTED, outputs_of
from PIL import Image, ImageOps

import mobilenet_tf
from mobilenet_tf import export
from mobilenet_tf.data import read_image
from mobilenet_tf.data.preprocessing import Preprocessing
from mobilenet_tf.export import decoding, images, orientation

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
    """An untrained MobileNet of two blocks, which each signature traces again."""
    keras.utils.set_random_seed(1)
    return mobilenet_tf.build(
        0.25, base_resolution=64, classes=3, blocks=((64, 2), (128, 2))
    )


@pytest.fixture(scope="module")
def exported(small, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "small"
    report = export.saved_model(small, path, labels=["cat", "dog", "fox"], top_k=2)
    return path, report


def test_client_with_tensorflow_alone(small, exported, tmp_path):
    path, _ = exported
    pictures = images.default_images(2, seed=5)
    files = []
    for index, image in enumerate(pictures):
        files.append(str(tmp_path / f"{index}.{('png', 'jpg')[index]}"))
        encode = (tf.io.encode_png, tf.io.encode_jpeg)[index]
        tf.io.write_file(files[-1], encode(image))
        pictures[index] = tf.io.decode_image(tf.io.read_file(files[-1]), 3).numpy()
    output = subprocess.run(
        [sys.executable, "-c", CLIENT, str(path), *files],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": STARTED},
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    labels, shares = zip(*(line.split() for line in output.splitlines()), strict=True)
    inputs = np.stack([Preprocessing().apply(image, 64) for image in pictures])
    expected = outputs_of(small, inputs)
    best = expected.argmax(1)
    assert labels == tuple(["cat", "dog", "fox"][index] for index in best)
    np.testing.assert_allclose([float(s) for s in shares], expected.max(1), atol=1e-4)


def test_report_and_card_stand_beside(exported):
    path, report = exported
    facts = json.loads(path.with_name("small.json").read_text())
    assert facts["maximum_difference"] == report.maximum_difference <= 1e-4
    assert facts["top1_agreement"] == 1.0
    card = path.with_name("small.md").read_text()
    assert card.startswith("---\nlibrary_name: keras\n")
    assert "3 classes" in card


def test_nothing_is_left_when_verification_fails(small, tmp_path):
    with pytest.raises(
        ValueError, match="differs from the model, and was not kept: saved_model"
    ):
        export.saved_model(small, tmp_path / "model", tolerance=-1.0)
    assert not list(tmp_path.iterdir())


def test_bad_arguments(small, exported, tmp_path):
    with pytest.raises(ValueError, match="path must not exist yet"):
        export.saved_model(small, exported[0])
    with pytest.raises(ValueError, match=r"labels must be 3 names, .*got 2"):
        export.saved_model(small, tmp_path / "model", labels=["a", "b"])
    with pytest.raises(ValueError, match="top_k must be an integer >= 1, got 0"):
        export.saved_model(small, tmp_path / "model", top_k=0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("byte_order", ["<", ">"])
@pytest.mark.parametrize("code", range(1, 9))
def test_exif_orientation_is_applied(byte_order, code):
    """Against pillow, on files that pillow wrote."""
    pixels = np.zeros((24, 40, 3), "uint8")
    pixels[:8, :16] = 200, 40, 40  # no symmetry is left
    exif = Image.Exif()
    exif.endian = byte_order
    exif[0x010F], exif[0x0112] = "maker", code
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "JPEG", exif=exif, quality=95)
    encoded = content.getvalue()
    read = orientation.orientation(tf.constant(encoded))
    assert read == code
    turned = orientation.upright(tf.io.decode_image(encoded, 3), read)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(content)))
    np.testing.assert_allclose(turned, expected.astype("int32"), atol=4)


@pytest.mark.parametrize("content", [b"", b"\xff\xd8", b"\xff\xd8\xff\xe1\xff"])
def test_files_without_exif_data_are_upright(content):
    assert orientation.orientation(tf.constant(content)) == 1


def test_served_photographs_are_turned(exported):
    classify = tf.saved_model.load(str(exported[0])).signatures["classify_jpeg"]
    upright = images.default_images(1)[0]
    files = []
    for pixels, code in ((upright, 1), (np.rot90(upright), 6)):
        exif, content = Image.Exif(), io.BytesIO()
        exif[0x0112] = code
        Image.fromarray(pixels).save(content, "JPEG", exif=exif, quality=100)
        files.append(content.getvalue())
    first, second = classify(tf.constant(files))["probabilities"].numpy()
    np.testing.assert_allclose(first, second, atol=1e-3)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "RGB"])
def test_png_files_have_the_pixels_of_training(mode):
    """Transparent ones on white, whether by a channel or by a palette."""
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 4), "uint8")
    pixels[:3, :, 3] = 0
    image = Image.fromarray(pixels).convert("RGB" if mode == "P" else mode)
    image, content = image.convert(mode), io.BytesIO()
    image.save(content, "PNG", **({"transparency": 3} if mode == "P" else {}))
    decoded = decoding.decode(tf.constant(content.getvalue())).numpy()
    expected = read_image(content.getvalue())
    np.testing.assert_allclose(decoded.astype(int), expected.astype(int), atol=1)


def test_16_bit_images_are_scaled(exported):
    """Not clipped: a ramp looks like the same ramp in 8 bits."""
    classify = tf.saved_model.load(str(exported[0])).signatures["classify_jpeg"]
    ramp = np.linspace(0, 65535, 64 * 64 * 3).reshape(64, 64, 3).astype("uint16")
    files = [tf.io.encode_png(ramp), tf.io.encode_png((ramp >> 8).astype("uint8"))]
    first, second = classify(tf.stack(files))["probabilities"].numpy()
    np.testing.assert_allclose(first, second, atol=1e-6)
