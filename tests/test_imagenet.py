"""Published weights without a network: a cache we fill."""

import dataclasses
import functools
import http.server
import json
import threading

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format

import mobilenet_tf
from experiments import imagenet_checkpoints
from mobilenet_tf.data import imagenet_photographs
from mobilenet_tf.data.preprocessing import Preprocessing
from mobilenet_tf.models import imagenet


@pytest.fixture
def keras_home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    return tmp_path


def publish(folder, alpha, side, include_top=True):
    """Write random weights as `keras.applications` publishes them; return the model."""
    model = keras.applications.MobileNet(
        (side, side, 3), alpha, weights=None, include_top=include_top
    )
    rng = np.random.default_rng(side)
    model.set_weights(
        [
            rng.uniform(0.5, 1.5, weight.shape) if weight.ndim == 1 else weight
            for weight in model.get_weights()
        ]
    )
    text = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0", 0.25: "2_5"}[alpha]
    end = "" if include_top else "_no_top"
    path = folder / "models" / f"mobilenet_{text}_{side}_tf{end}.h5"
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)
    return model


def pairs():
    """The smallest and the largest network, all of them with --thorough."""
    ends = min(imagenet.PAIRS), max(imagenet.PAIRS)
    for alpha, side in imagenet.PAIRS:
        quick = (alpha, side) in ends
        marks = () if quick else pytest.mark.thorough
        yield pytest.param(alpha, side, marks=marks)


@pytest.mark.parametrize(("alpha", "side"), list(pairs()))
def test_published_weights_give_equal_outputs(keras_home, alpha, side):
    theirs = publish(keras_home, alpha, side)
    path = keras_home / "keras_3.weights.h5"
    theirs.save_weights(path)
    images = np.random.default_rng(0).uniform(-1, 1, (1, side, side, 3))
    images = images.astype("float32")
    for weights in ("imagenet", path):
        ours = mobilenet_tf.build(alpha, side / 224, weights=weights)
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(ours(images)),
            keras.ops.convert_to_numpy(theirs(images)),
            atol=1e-5,
        )


def test_features_from_either_file(keras_home):
    publish(keras_home, 0.25, 128, include_top=False)
    with pytest.warns(UserWarning, match="classifier in .* is missing"):
        small = mobilenet_tf.build(0.25, 128 / 224, classes=10, weights="imagenet")
    body = mobilenet_tf.build(0.25, 128 / 224, include_top=False, weights="imagenet")
    assert keras_home.joinpath(
        "models", "mobilenet_2_5_128_tf_no_top.h5.sha256"
    ).exists()
    for one, other in zip(body.get_weights(), small.get_weights(), strict=False):
        np.testing.assert_array_equal(one, other)
    publish(keras_home, 0.25, 128)  # now the whole file is there as well
    with pytest.warns(UserWarning, match="of 1000 classes is left out"):
        mobilenet_tf.build(0.25, 128 / 224, classes=10, weights="imagenet")


def test_pairs_that_are_not_published():
    for alpha, rho in ((0.3, 1.0), (1.0, 0.5)):
        with pytest.raises(ValueError, match=r"published for .*\(1, 224\).*; got"):
            mobilenet_tf.build(alpha, rho, weights="imagenet")


def test_published_weights_are_downloaded_once(tmp_path, monkeypatch):
    """From a server that has them, into Keras' cache, for `build` to find."""
    (tmp_path / "models").mkdir()
    theirs = publish(tmp_path, 0.25, 128)
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=tmp_path / "models"
    )
    monkeypatch.setattr(handler.func, "log_message", lambda *_: None)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/"
        path = imagenet.weights_file(0.25, 128, url=url)
        server.shutdown()
        thread.join()
    assert path == tmp_path / "home" / "models" / "mobilenet_2_5_128_tf.h5"
    ours = mobilenet_tf.build(0.25, 128 / 224, weights="imagenet")
    np.testing.assert_array_equal(
        ours.get_layer("stem").get_weights()[0], theirs.get_weights()[0]
    )


def test_real_predictions_of_real_weights(shared):
    weights = "mobilenet_0.25_128_keras_applications.weights.h5"
    with pytest.warns(UserWarning, match="is merged into the convolutions"):
        model = mobilenet_tf.build(
            0.25, base_resolution=128, weights=shared / "weights" / weights
        )
    found = imagenet_photographs.from_tfds("imagenette112", str(shared / "tfds"))
    some = dataclasses.replace(found, images=found.images.take(200))
    metrics = imagenet_checkpoints.measure(model, some, Preprocessing())
    assert metrics["images"] == 200
    assert metrics["top1"] > 0.25  # of 1000 classes


def test_preprocess_input():
    images = np.arange(256, dtype="uint8").reshape(1, 16, 16, 1).repeat(3, -1)
    scaled = mobilenet_tf.preprocess_input(images)
    assert scaled.dtype == "float32"
    assert (scaled.min(), scaled.max()) == (-1, 1)
    floats = images.astype("float32")
    mobilenet_tf.preprocess_input(floats)
    np.testing.assert_array_equal(floats, images)  # left as it is
    tensor = keras.ops.convert_to_tensor(images)
    np.testing.assert_allclose(mobilenet_tf.preprocess_input(tensor), scaled, atol=1e-6)
    for wrong in (floats / 255, floats - 1, floats * 2):
        with pytest.raises(ValueError, match="images must be RGB from 0 to 255"):
            mobilenet_tf.preprocess_input(wrong)


def test_decode_predictions(keras_home, tmp_path):
    scores = np.zeros((2, 1000), "float32")
    scores[0, 207], scores[0, 1], scores[1, 999] = 0.9, 0.1, 1.0
    first, second = mobilenet_tf.decode_predictions(scores, top=2)
    assert first == [
        ("n02099601", "n02099601", pytest.approx(0.9)),
        ("n01443537", "n01443537", pytest.approx(0.1)),
    ]
    assert second[0][0] == "n15075141"
    names = {
        str(index): [wordnet_id, f"name {index}"]
        for index, wordnet_id in enumerate(imagenet.wordnet_ids())
    }
    (keras_home / "models" / "imagenet_class_index.json").write_text(json.dumps(names))
    named = mobilenet_tf.decode_predictions(scores)
    assert named[0][0][:2] == ("n02099601", "name 207")
    three = mobilenet_tf.decode_predictions(scores[:, 206:209], 1, ["a", "b", "c"])
    assert three[0] == [("", "b", pytest.approx(0.9))]
    with pytest.raises(
        ValueError, match=r"\(batch, 1000\), got \(2, 3\); pass labels="
    ):
        mobilenet_tf.decode_predictions(scores[:, :3])
    with pytest.raises(ValueError, match="top must be an integer >= 1, got 0"):
        mobilenet_tf.decode_predictions(scores, 0)


def test_class_names_of_the_reference(shared):
    path = shared / "reference" / "imagenet_synsets.txt"
    scores = np.zeros((1, 1000), "float32")
    scores[0, 0] = 1
    found = mobilenet_tf.decode_predictions(scores, 1, path)
    assert found[0][0][:2] == ("n01440764", "tench, Tinca tinca")
    lines = path.read_text().splitlines()
    assert imagenet.wordnet_ids() == [line.split("\t")[0] for line in lines]
