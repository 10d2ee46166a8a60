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


def test_pictures_are_rgb_bytes():
    image = rendering.render(0, np.random.default_rng(0))
    assert image.shape == (rendering.SIDE, rendering.SIDE, 3)
    assert image.dtype == np.uint8
    assert image.std() > 10


def direction(surface):
    """The direction of the lines in degrees, from the gradients' structure tensor."""
    down, across = np.gradient(surface.mean(axis=2))
    double = np.arctan2(2 * (down * across).sum(), (across**2 - down**2).sum())
    return np.degrees(double / 2)


@pytest.mark.parametrize("label", range(0, len(rendering.CLASSES), 7))
def test_both_parts_have_the_directions_of_the_class(label, monkeypatch):
    # Gradients need a few pixels.
    coarse = dict.fromkeys(rendering.PERIODS, (5.0, 6.7))
    monkeypatch.setattr(rendering, "PERIODS", coarse)
    monkeypatch.setattr(rendering, "TURN", 0.2)
    disc, ground = (
        int(name.partition("_")[2]) for name in rendering.CLASSES[label].split("_on_")
    )
    image = rendering.render(label, np.random.default_rng(label)).astype(float)
    middle = rendering.SIDE // 2
    step = 180 / rendering.DIRECTIONS
    for expected, part in (
        (disc, image[middle - 6 : middle + 6, middle - 6 : middle + 6]),
        (ground, image[:, :8]),
    ):
        away = (direction(part) - expected + 90) % 180 - 90
        assert abs(away) < step / 2


def test_a_mirrored_picture_is_of_another_class():
    image = rendering.render(1, np.random.default_rng(3)).astype(float)
    ground, mirrored = image[:, :8], image[:, ::-1][:, -8:]
    assert direction(ground) == pytest.approx(-direction(mirrored), abs=1)


def test_names_are_unique_and_cover_the_product():
    assert len(set(rendering.CLASSES)) == len(rendering.CLASSES)
    assert len(rendering.CLASSES) == len(rendering.LINES) ** 2


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
        ("train", 0, [125.45, 113.5, 104.13]),
        ("train", 7199, [124.3, 141.32, 147.94]),
        ("validation", 5, [126.15, 113.62, 113.68]),
    ],
)
def test_pinned_pictures(split, index, means):
    image, _ = rendering.example(split, index)
    np.testing.assert_allclose(image.mean(axis=(0, 1)), means, atol=0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rendering.render(144, RNG), r"label .*\[0, 143\].*144"),
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
    monkeypatch.setattr(rendering, "SPLITS", {"train": 288, "validation": 144})
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
