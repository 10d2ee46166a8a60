"""The embedded data set: what is drawn, and that TFDS gives back the same bytes."""

import collections
import os
import time

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


def test_pictures_are_rgb_bytes():
    image = rendering.render(0, np.random.default_rng(0))
    assert image.shape == (rendering.SIDE, rendering.SIDE, 3)
    assert image.dtype == np.uint8
    assert image.std() > 10


def gains(image):
    """How strong each band is in a picture, beside the spectrum of natural ones.

    The logarithm of the mean amplitude of the frequencies that are next to the middle
    of a band, less that of all bands.
    """
    down, across = np.meshgrid(*[np.fft.fftfreq(rendering.SIDE)] * 2, indexing="ij")
    frequencies = np.hypot(down, across)
    frequencies[0, 0] = np.inf
    turned = np.degrees(np.arctan2(down, across))
    amplitudes = np.abs(np.fft.fft2(image.mean(axis=2))) * frequencies
    low, high = rendering.PERIODS[:2]
    found = []
    for period in rendering.PERIODS:
        near = np.abs(np.log(frequencies * period)) < np.log(high / low) / 2
        for index in range(rendering.DIRECTIONS):
            step = 180 / rendering.DIRECTIONS
            away = (turned - index * step + 90) % 180 - 90
            found.append(np.log(amplitudes[near & (np.abs(away) < step / 2)].mean()))
    return np.array(found) - np.mean(found)


def likeness(picture):
    """The correlation of a picture's gains with those of each class."""
    classes = rendering.class_gains()
    return np.corrcoef(gains(picture), classes)[0, 1:]


def test_pictures_have_the_gains_of_their_class():
    likenesses = [likeness(rendering.example("train", index)[0]) for index in range(96)]
    own = [row[index % len(row)] for index, row in enumerate(likenesses)]
    assert min(own) > 0.5 and np.mean(own) > 0.65
    best = np.argmax(likenesses, axis=1)
    assert np.mean(best == np.arange(96) % len(rendering.CLASSES)) > 0.95


def test_a_mirrored_picture_is_of_no_class():
    pictures = [rendering.example("train", index)[0] for index in range(96)]
    mirrored = [likeness(picture[:, ::-1]) for picture in pictures]
    own = [row[index % len(row)] for index, row in enumerate(mirrored)]
    assert np.mean(own) < 0.3
    best = np.argmax(mirrored, axis=1)
    assert np.mean(best == np.arange(96) % len(rendering.CLASSES)) < 0.3


def test_names_are_unique():
    assert len(set(rendering.CLASSES)) == len(rendering.CLASSES)
    assert rendering.class_gains().shape == (len(rendering.CLASSES), 24)


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
# leaves room for the last bit of a transform, and none for another picture.
@pytest.mark.parametrize(
    ("split", "index", "means"),
    [
        ("train", 0, [133.37, 121.79, 152.12]),
        ("train", 7199, [148.67, 120.98, 125.74]),
        ("validation", 5, [131.84, 105.1, 109.02]),
    ],
)
def test_pinned_pictures(split, index, means):
    image, _ = rendering.example(split, index)
    np.testing.assert_allclose(image.mean(axis=(0, 1)), means, atol=0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rendering.render(32, RNG), r"label .*\[0, 31\].*32"),
        (lambda: rendering.render(1.5, RNG), r"label .*1\.5"),
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
    monkeypatch.setattr(rendering, "SPLITS", {"train": 64, "validation": 32})
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


def test_what_a_killed_drawing_leaves_is_removed(tmp_path):
    embedded = pytest.importorskip("mobilenet_tf.data.embedded")
    for name in ("incomplete.OLD_3.0.0", "incomplete.NEW_3.0.0", "2.0.0"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "shard").touch()
        long_ago = time.time() - 2 * embedded.LEFT_SECONDS
        for path in (tmp_path / name / "shard", tmp_path / name):
            if "NEW" not in name:
                os.utime(path, (long_ago, long_ago))
    embedded.remove_leftovers(tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"incomplete.NEW_3.0.0", "2.0.0"}
