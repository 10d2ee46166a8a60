"""Data sets from arrays in memory."""

import numpy as np
import pytest
from test_from_folder import OPTIONS, picture

from mobilenet_tf import data


def test_arrays():
    images = np.stack([picture(index, (36, 36)) for index in range(20)])
    labels = np.arange(20) % 2
    ours = data.from_arrays(images, labels, 0.2, report=lambda line: None)
    assert (ours.train.size, ours.evaluation.size) == (16, 4)
    assert ours.class_names == ("0", "1")
    assert (ours.side, ours.metadata.base_resolution) == (36, 36)
    both = [ours.train.contents, ours.evaluation.contents]
    seen = np.concatenate([part.images for part in both]).transpose(0, 1, 3, 2)
    assert {image.tobytes() for image in seen} == {image.tobytes() for image in images}


def test_arrays_of_any_size_with_names():
    images = [picture(index, (30 + index, 40)) for index in range(6)]
    labels = ["dog", "cat"] * 3
    ours = data.from_arrays(images[:4], labels[:4], (images[4:], labels[4:]), **OPTIONS)
    assert ours.class_names == ("cat", "dog")
    assert ours.evaluation.contents.labels.tolist() == [1, 0]
    assert ours.train.contents.images.shape == (4, 32, 3, 32)
    np.testing.assert_allclose(ours.evaluation.contents.aspects, [40 / 34, 40 / 35])


@pytest.mark.parametrize(
    "labels",
    [np.array([[0], [1], [0], [1]]), np.array(["a", "b", "a", "b"], dtype=object)],
)
def test_labels_of_other_libraries(labels):
    """Keras' data sets have a column of numbers, pandas has Python strings."""
    ours = data.from_arrays(PICTURES, labels, 0.5, **OPTIONS)
    assert ours.classes == 2 and not ours.multi_label


def test_multi_label_arrays():
    images = [picture(index) for index in range(5)]
    labels = np.eye(3, dtype=int)[[0, 1, 2, 0, 1]]
    ours = data.from_arrays(images, labels, class_names="abc", **OPTIONS)
    assert ours.multi_label and ours.classes == 3
    assert ours.train.contents.labels.shape == (4, 3)


def test_grey_arrays():
    grey = [picture(index)[..., 0] for index in range(4)]
    with pytest.raises(ValueError, match="got 1 at index 0; to_rgb=True repeats"):
        data.from_arrays(grey, [0, 0, 1, 1], **OPTIONS)
    ours = data.from_arrays(grey, [0, 0, 1, 1], to_rgb=True, **OPTIONS)
    pixels = ours.train.contents.images
    np.testing.assert_array_equal(pixels[:, :, 0], pixels[:, :, 2])


PICTURES = [picture(index) for index in range(4)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": []}, "images must be a sequence of images"),
        (
            {"images": [PICTURES[0] / 255]},
            r"must be uint8 .* float64 \(40, 48, 3\)",
        ),
        ({"labels": [0, 1]}, r"labels must be .* of shape \(4,\)"),
        ({"labels": [0, 1, 0, -1]}, "labels must be from 0 to 1, got -1 to 1"),
        ({"labels": [0.0, 1, 0, 1]}, "labels must be integers or names .* got float64"),
        ({"labels": [0, 0, 0, 0]}, "at least two different classes"),
        ({"labels": [0, 0, 0, 1]}, "at least 2 different images, but '1' has 1"),
        ({"class_names": ["a", "a"]}, "at least two different classes"),
        ({"validation": 0}, r"validation must be a number in \(0, 1\), got 0"),
        (
            {"validation": (PICTURES[2:3], [0])},
            "validation image 0 equals training image 2",
        ),
        (
            {"labels": [0, 0, 2, 2], "validation": ([picture(9)], [1])},
            r"each class must have training images, but these do not:\n +1",
        ),
    ],
)
def test_bad_arrays(arguments, message):
    given = {"images": PICTURES, "labels": [0, 1, 0, 1], **OPTIONS, **arguments}
    with pytest.raises(ValueError, match=message):
        data.from_arrays(**given)
