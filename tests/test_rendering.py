"""The embedded data set: what is drawn, and that TFDS gives back the same bytes."""

import collections

import numpy as np
import pytest

from mobilenet_tf.data import rendering

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("split", rendering.SPLITS)
def test_an_example_depends_on_its_arguments_alone(split):
    first, label = rendering.example(split, 17)
    rendering.example(split, 3)
    again, label_again = rendering.example(split, 17)
    np.testing.assert_array_equal(first, again)
    assert label == label_again
    other_seed, _ = rendering.example(split, 17, seed=1)
    assert not np.array_equal(first, other_seed)


@pytest.mark.parametrize("side", [16, 37, 64, 96])
def test_pictures_are_rgb_bytes(side):
    image = rendering.render(0, np.random.default_rng(0), side)
    assert image.shape == (side, side, 3)
    assert image.dtype == np.uint8
    assert image.std() > 10


@pytest.mark.parametrize("label", range(len(rendering.CLASSES)))
def test_every_class_can_be_drawn_at_its_extremes(label):
    for seed in range(20):
        rendering.render(label, np.random.default_rng(seed), 16)


def test_the_scene_is_the_same_at_every_side(monkeypatch):
    monkeypatch.setattr(rendering, "NOISE", (0.0, 0.0))
    small, large = (
        rendering.render(7, np.random.default_rng(5), side).astype(float)
        for side in (64, 128)
    )
    halved = large.reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))
    assert np.abs(small - halved).mean() < 4


def test_names_are_unique_and_cover_the_product():
    assert len(set(rendering.CLASSES)) == len(rendering.CLASSES)
    assert len(rendering.CLASSES) == len(rendering.FILLINGS) * len(rendering.SHAPES)


def test_labels_are_balanced():
    classes = len(rendering.CLASSES)
    for split, count in rendering.SPLITS.items():
        assert count % classes == 0
        labels = [rendering.example(split, index)[1] for index in range(3 * classes)]
        assert set(collections.Counter(labels).values()) == {3}


def test_splits_and_seeds_share_no_picture():
    pictures = {
        rendering.example(split, index, seed)[0].tobytes()
        for split in rendering.SPLITS
        for index in range(60)
        for seed in (0, 1)
    }
    assert len(pictures) == len(rendering.SPLITS) * 60 * 2


# Mean of each channel over the whole picture. A tolerance of a tenth of a grey level
# leaves room for the last bit of a sine, and none for another scene.
@pytest.mark.parametrize(
    ("split", "index", "means"),
    [
        ("train", 0, [160.90, 115.44, 118.12]),
        ("train", 3071, [108.82, 109.81, 125.45]),
        ("validation", 5, [115.27, 103.28, 153.83]),
    ],
)
def test_pinned_pictures(split, index, means):
    image, _ = rendering.example(split, index)
    np.testing.assert_allclose(image.mean(axis=(0, 1)), means, atol=0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rendering.render(12, RNG), r"label .*\[0, 11\].*12"),
        (lambda: rendering.render(1.5, RNG), r"label .*1\.5"),
        (lambda: rendering.render(0, RNG, 8), r"side .*\[16, .* 8"),
        (lambda: rendering.example("test", 0), r"split .*train.*validation.*'test'"),
        (lambda: rendering.example("train", -1), r"index .*\[0, \d+\].*-1"),
        (lambda: rendering.example("train", 10**6), r"index .*1000000"),
        (lambda: rendering.example("train", 0, seed=-1), r"seed .*-1"),
    ],
)
def test_errors_name_argument_range_and_value(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_tfds_reads_back_what_was_drawn(tmp_path, monkeypatch):
    tfds = pytest.importorskip("tensorflow_datasets")
    pytest.importorskip("mobilenet_tf.data.embedded")  # registers the builder
    monkeypatch.setattr(rendering, "SPLITS", {"train": 24, "validation": 12})
    splits, info = tfds.load("vignettes", data_dir=tmp_path, with_info=True)
    assert info.features["label"].names == list(rendering.CLASSES)
    assert info.supervised_keys == ("image", "label")
    for split, count in rendering.SPLITS.items():
        read = {
            (row["image"].tobytes(), int(row["label"]))
            for row in splits[split].as_numpy_iterator()
        }
        drawn = (rendering.example(split, index) for index in range(count))
        assert read == {(image.tobytes(), label) for image, label in drawn}
