"""Published weights on photographs: preprocessing, sources, ranks."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import outputs_of, parse_flags

from experiments import imagenet_checkpoints
from experiments.harness import program
from mobilenet_tf.data import imagenet_photographs, rendering
from mobilenet_tf.data.preprocessing import Preprocessing
from mobilenet_tf.training.evaluation import evaluate_batches


def image(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), "uint8")


def test_default_is_tf_slims():
    """Central crop of 87.5 %, then bilinear without antialiasing or aspect ratio."""
    found = Preprocessing().apply(image(64, 48), 32)
    crop = image(64, 48)[4:60, 3:45]
    expected = tf.image.resize(crop, (32, 32)) / 127.5 - 1
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_resize_then_crop_keeps_the_aspect_ratio():
    way = Preprocessing("resize_then_crop", 0.5, "antialiased")
    found = way.apply(image(40, 80), 20)
    resized = tf.image.resize(image(40, 80), (40, 80), antialias=True)
    np.testing.assert_allclose(found, resized[10:30, 30:50] / 127.5 - 1, atol=1e-5)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "nearest", "area"])
def test_same_size_is_the_image(interpolation):
    for order in ("crop_then_resize", "resize_then_crop"):
        found = Preprocessing(order, 1.0, interpolation).apply(image(24, 24), 24)
        np.testing.assert_allclose(found, image(24, 24) / 127.5 - 1, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"order": "crop"}, "order must be one of 'crop_then_resize', 'resize_then"),
        ({"interpolation": "cubic"}, "interpolation must be one of 'bilinear'"),
        ({"central_fraction": 0}, r"central_fraction must be a number in \(0, 1\]"),
    ],
)
def test_bad_preprocessing(arguments, message):
    with pytest.raises(ValueError, match=message):
        Preprocessing(**arguments)


@pytest.fixture
def folder(tmp_path):
    """Four images of classes 0 and 1, and files that are none."""
    for number, wordnet_id in enumerate(["n01440764", "n01443537"] * 2):
        (tmp_path / wordnet_id).mkdir(exist_ok=True)
        encoded = tf.io.encode_png(image(40 + number, 50, number)).numpy()
        (tmp_path / wordnet_id / f"{number}.png").write_bytes(encoded)
    (tmp_path / "n01440764" / "notes.txt").write_text("no image")
    (tmp_path / "other").mkdir()
    return tmp_path


def always(scores):
    """A model that gives every image the same scores."""
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.GlobalAveragePooling2D()(inputs)
    dense = keras.layers.Dense(1000)
    model = keras.Model(inputs, dense(x))
    dense.set_weights([np.zeros((3, 1000)), scores])
    return model


def test_ranks(folder):
    scores = np.zeros(1000)
    scores[[1, 7, 8, 9]] = 5, 4, 3, 2  # class 1 first, class 0 fifth: ties by index
    found = imagenet_checkpoints.measure(
        always(scores), imagenet_photographs.from_folder(folder), Preprocessing()
    )
    assert (found["top1"], found["top5"], found["images"]) == (0.5, 1.0, 4)
    scores[[2, 3]] = 1
    found = imagenet_checkpoints.measure(
        always(scores), imagenet_photographs.from_folder(folder), Preprocessing()
    )
    assert (found["top1"], found["top5"]) == (0.5, 0.5)


def test_measures_of_three_classes(small, stripes):
    """Loss as Keras has it, which images were right, and no top five of few classes."""
    images = np.random.default_rng(0).uniform(-1, 1, (12, 64, 64, 3)).astype("float32")
    labels = np.arange(12) % 3
    found = evaluate_batches(
        small, [(images[:8], labels[:8]), (images[8:], labels[8:])]
    )
    scores = outputs_of(small, images)
    expected = keras.losses.sparse_categorical_crossentropy(labels, scores)
    np.testing.assert_allclose(found.loss, np.mean(expected), rtol=1e-5)
    np.testing.assert_array_equal(found.correct, scores.argmax(1) == labels)
    assert found.top1 == found.correct.mean() and found.top5 is None
    assert found.as_dict() == {"top1": found.top1, "loss": found.loss}


def test_no_images_and_no_finite_scores(small):
    with pytest.raises(ValueError, match="no images"):
        evaluate_batches(small, [])
    images = np.full((1, 64, 64, 3), np.nan, "float32")
    with pytest.raises(ValueError, match="scores must be finite"):
        evaluate_batches(small, [(images, np.zeros(1, "int64"))])


def test_the_script_on_a_folder(folder, tmp_path_factory, capsys, experiment_flags):
    """Published files as Keras writes them; what is recorded is not repeated."""
    work = tmp_path_factory.mktemp("work")
    network = keras.applications.MobileNet((128, 128, 3), 0.25, weights=None)
    network.save_weights(work / "mobilenet.weights.h5")
    command = parse_flags(
        *(f"--image_dir={folder}", f"--workdir={work}"),
        f"--mobilenet_weights={work / 'mobilenet.weights.h5'}",
    )
    program.execute(imagenet_checkpoints.experiment, command)
    lines = capsys.readouterr().out.splitlines()
    row = next(line for line in lines if line.startswith("| mobilenet 0.25 128"))
    cells = [cell.strip() for cell in row.split("|")[1:-1]]
    assert cells[:5] == ["mobilenet 0.25 128", "41.5", "66.3", "39.5", "64.4"]
    assert cells[6] == "4"
    (path,) = (work / "checkpoints").glob("*.json")
    record = json.loads(path.read_text())
    assert record["metrics"]["images"] == 4
    assert record["preprocessing"]["central_fraction"] == 0.875


def test_folder_without_classes(tmp_path):
    (tmp_path / "cats").mkdir()
    with pytest.raises(ValueError, match="image_dir must hold folders named"):
        imagenet_photographs.from_folder(tmp_path)


def test_photographs_of_the_validation_set(shared):
    found = imagenet_photographs.from_tfds("imagenette112", str(shared / "tfds"))
    labels = [int(label) for _, label in found.images]
    assert len(labels) == 500
    # Tench, English springer, cassette player, chain saw, church, French horn, garbage
    # truck, gas pump, golf ball and parachute.
    assert set(labels) == {0, 217, 482, 491, 497, 566, 569, 571, 574, 701}


def test_other_classes(tmp_path, monkeypatch):
    monkeypatch.setattr(rendering, "SPLITS", {"train": 48, "validation": 24})
    with pytest.raises(ValueError, match="must be WordNet ids of ImageNet's 1000"):
        imagenet_photographs.from_tfds("vignettes", str(tmp_path))
