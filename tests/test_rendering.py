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


@pytest.fixture
def clear(monkeypatch):
    """Next to no noise."""
    monkeypatch.setattr(rendering, "NOISE", (0.001, 0.002))


@pytest.mark.parametrize("label", range(0, len(rendering.CLASSES), 5))
def test_lines_have_the_direction_of_the_class(label, monkeypatch, clear):
    # Gradients need a few pixels.
    coarse = dict.fromkeys(rendering.PERIODS, (5.0, 6.7))
    monkeypatch.setattr(rendering, "PERIODS", coarse)
    image = rendering.render(label, np.random.default_rng(label)).astype(float)
    expected = int(rendering.CLASSES[label].partition("_")[2])
    away = (direction(image) - expected + 90) % 180 - 90
    assert abs(away) < 180 / rendering.DIRECTIONS / 2


@pytest.mark.parametrize("label", range(0, len(rendering.CLASSES), 5))
def test_lines_have_the_spacing_of_the_class(label, clear):
    image = rendering.render(label, np.random.default_rng(label)).mean(axis=2)
    spectrum = np.abs(np.fft.fft2(image - image.mean()))
    down, across = (
        np.fft.fftfreq(rendering.SIDE)[index]
        for index in np.divmod(spectrum.argmax(), rendering.SIDE)
    )
    low, high = rendering.PERIODS[rendering.CLASSES[label].partition("_")[0]]
    assert 0.9 * low < 1 / np.hypot(down, across) < 1.1 * high


def test_noise_hides_the_lines_of_some_pictures(monkeypatch):
    def correlation(noise):
        """Of a picture with the one that has the same lines and no noise."""
        images = []
        for most in (noise, 0.001):
            monkeypatch.setattr(rendering, "NOISE", (most, most))
            images.append(rendering.render(0, np.random.default_rng(0)).ravel())
        return np.corrcoef(images)[0, 1]

    little, much = map(correlation, rendering.NOISE)
    assert little > 0.9 and 0.02 < much < 0.2


def test_a_mirrored_picture_is_of_another_class(clear):
    label = rendering.CLASSES.index("coarsest_30")
    image = rendering.render(label, np.random.default_rng(3)).astype(float)
    mirrored = direction(image[:, ::-1])
    assert direction(image) == pytest.approx(-mirrored, abs=1)
    assert abs(mirrored) > 15


def test_names_are_unique_and_cover_the_product():
    assert len(set(rendering.CLASSES)) == len(rendering.CLASSES)
    assert len(rendering.CLASSES) == len(rendering.PERIODS) * rendering.DIRECTIONS


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
        ("train", 0, [130.66, 130.73, 133.92]),
        ("train", 7199, [127.85, 128.21, 126.69]),
        ("validation", 5, [132.06, 129.04, 128.27]),
    ],
)
def test_pinned_pictures(split, index, means):
    image, _ = rendering.example(split, index)
    np.testing.assert_allclose(image.mean(axis=(0, 1)), means, atol=0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rendering.render(24, RNG), r"label .*\[0, 23\].*24"),
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
    monkeypatch.setattr(rendering, "SPLITS", {"train": 48, "validation": 24})
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
