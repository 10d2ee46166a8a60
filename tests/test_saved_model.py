"""SavedModels, used as their users use them."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from mobilenet_tf import export
from mobilenet_tf.data.preprocessing import Preprocessing
from mobilenet_tf.export import images

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


def test_nothing_is_left_when_the_proof_fails(small, tmp_path):
    with pytest.raises(ValueError, match="not equal to the model: saved_model against"):
        export.saved_model(small, tmp_path / "model", tolerance=-1.0)
    assert not list(tmp_path.iterdir())


def test_bad_arguments(small, exported, tmp_path):
    with pytest.raises(ValueError, match="path must not exist yet"):
        export.saved_model(small, exported[0])
    with pytest.raises(ValueError, match="labels must be 3 names, got 2"):
        export.saved_model(small, tmp_path / "model", labels=["a", "b"])
    with pytest.raises(ValueError, match="top_k must be an integer >= 1, got 0"):
        export.saved_model(small, tmp_path / "model", top_k=0)
    assert not list(tmp_path.iterdir())
