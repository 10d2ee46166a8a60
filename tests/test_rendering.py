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


def shape(picture):
    """The share of an 8 x 8 grid's cells that is drawn on, whatever its colour."""
    picture = picture.astype(float)
    away = np.abs(picture - np.median(picture, axis=(0, 1))).max(axis=2) > 40
    return away.reshape(8, 7, 8, 7).mean(axis=(1, 3)).ravel()


def colour(picture):
    return picture.mean(axis=(0, 1))


def likeness(of, train=15):
    """How far validation pictures are from the mean of each class, and their labels."""
    classes = len(rendering.CLASSES)
    means = [
        [
            of(rendering.example("train", row * classes + label)[0])
            for row in range(train)
        ]
        for label in range(classes)
    ]
    found = [of(rendering.example("validation", index)[0]) for index in range(classes)]
    away = np.array(found)[:, None] - np.mean(means, axis=1)
    return np.square(away).sum(axis=2), np.arange(classes)


def test_shapes_tell_families_and_members():
    away, labels = likeness(shape)
    nearest = away.argmin(axis=1)
    of_family = nearest % rendering.FAMILIES == labels % rendering.FAMILIES
    assert of_family.mean() > 0.7
    by_chance = 1 / len(rendering.MEMBERS)
    assert np.mean((nearest == labels)[of_family]) > 2 * by_chance


def test_colours_tell_nothing():
    away, labels = likeness(colour)
    assert np.mean(away.argmin(axis=1) == labels) < 0.05


def test_members_of_a_family_have_similar_maps():
    maps = [rendering.class_maps(label) for label in range(len(rendering.CLASSES))]
    count = rendering.FAMILIES
    for label, (one, other) in enumerate(zip(maps, maps[count:], strict=False)):
        assert one.shape == other.shape == (len(one), 2, 3)
        assert 0 < np.abs(one - other).mean() < 0.2, label
        assert (
            np.linalg.norm(one[..., :2], 2, axis=(1, 2)).max()
            < rendering.LARGEST + 1e-9
        )
    assert {len(one) for one in maps} == set(rendering.DEPTHS)


def test_smaller_sides_lose_detail(monkeypatch):
    """The share of the pictures' variance that each side of the paper cannot hold."""
    monkeypatch.setattr(rendering, "NOISE", 0.0)
    pictures = [
        rendering.example("train", index)[0].mean(axis=2) for index in range(96)
    ]
    power = np.abs(np.fft.fft2(pictures)) ** 2
    power[:, 0, 0] = 0
    across = np.abs(np.fft.fftfreq(rendering.SIDE))
    frequencies = np.maximum(across[:, None], across)
    lost = [
        power[:, frequencies > side / rendering.SIDE / 2].sum() / power.sum()
        for side in (48, 40, 32)
    ]
    assert lost[0] > 0.05
    assert lost[1] > lost[0] + 0.05
    assert lost[2] > lost[1] + 0.05


def test_names_are_unique():
    assert len(set(rendering.CLASSES)) == len(rendering.CLASSES)


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
        ("train", 0, [70.5, 68.0, 66.95]),
        ("train", 7167, [49.57, 47.32, 50.53]),
        ("validation", 5, [54.19, 64.66, 54.96]),
    ],
)
def test_pinned_pictures(split, index, means):
    image, _ = rendering.example(split, index)
    np.testing.assert_allclose(image.mean(axis=(0, 1)), means, atol=0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rendering.render(64, RNG), r"label .*\[0, 63\].*64"),
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
    monkeypatch.setattr(rendering, "SPLITS", {"train": 128, "validation": 64})
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
    for name in ("incomplete.OLD_4.1.0", "incomplete.NEW_4.1.0", "3.0.0"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "shard").touch()
        long_ago = time.time() - 2 * embedded.LEFT_SECONDS
        for path in (tmp_path / name / "shard", tmp_path / name):
            if "NEW" not in name:
                os.utime(path, (long_ago, long_ago))
    embedded.remove_leftovers(tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"incomplete.NEW_4.1.0", "3.0.0"}
