"""A few training images of each class."""

import dataclasses

import numpy as np
import pytest

from mobilenet_tf.data.subset import few_of_each_class


def rows_of(part, whole):
    """The indices of images in a whole that has no image twice."""
    index = {image.tobytes(): row for row, image in enumerate(whole.images)}
    return [index[image.tobytes()] for image in part.images]


def test_so_many_of_each_class(stripes):
    whole = stripes.train.contents
    some, again, other = (few_of_each_class(stripes, 5, seed) for seed in (0, 0, 1))
    part = some.train.contents
    rows = rows_of(part, whole)
    assert len(set(rows)) == 10
    np.testing.assert_array_equal(part.labels, whole.labels[rows])
    np.testing.assert_array_equal(np.bincount(part.labels), [5, 5])
    assert rows == rows_of(again.train.contents, whole)
    assert rows != rows_of(other.train.contents, whole)
    assert some.metadata.train_size == 10
    assert some.evaluation is stripes.evaluation
    assert some.metadata != stripes.metadata != other.metadata


def test_all_of_a_class_that_has_fewer(stripes):
    every = few_of_each_class(stripes, 10_000)
    assert every.train.size == stripes.train.size


def test_bad_arguments(stripes):
    with pytest.raises(ValueError, match="images must be an integer >= 1, got 0"):
        few_of_each_class(stripes, 0)
    without = dataclasses.replace(stripes.metadata, unlabelled=True)
    with pytest.raises(ValueError, match="must have one class each"):
        few_of_each_class(dataclasses.replace(stripes, metadata=without), 3)
