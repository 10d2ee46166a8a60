"""Batches: their order, their crops, and what they cover."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prepared import load

from mobilenet_tf.data.arrays import batch_rows
from mobilenet_tf.data.augmentation import Augmentation
from mobilenet_tf.data.batches import evaluation_batches, training_batches
from mobilenet_tf.data.boxes import central_boxes, random_boxes
from mobilenet_tf.data.dataset import Share


@pytest.mark.parametrize("mode", ["arrays", "stream"])
def test_same_seed_same_batches(squares, mode):
    data, _ = load("squares", squares, mode=mode)

    def first(seed, epoch, count=9):
        batches = training_batches(
            data.train, 2, 16, seed, epoch, Augmentation(min_area=0.3)
        )
        return [next(batches) for _ in range(count)]

    once, again = first(1, 0), first(1, 0)
    for ((a, b), c), ((d, e), f) in zip(once, again, strict=True):
        for x, y in ((a, d), (b, e), (c, f)):
            np.testing.assert_array_equal(x, y)
    # 60 images are 3 full batches, so batch 3 is the first of epoch 1.
    resumed = first(1, 1, 1)[0]
    np.testing.assert_array_equal(resumed[0][1], once[3][0][1])
    np.testing.assert_array_equal(resumed[0][0], once[3][0][0])
    assert not np.array_equal(first(2, 0)[0][0][0], once[0][0][0])
    assert not np.array_equal(once[3][0][0], once[0][0][0])


def test_evaluation_reaches_every_image_once(squares):
    data, _ = load("squares", squares)
    batches = list(evaluation_batches(data.evaluation, 2, 8, 0.875))
    assert sum(len(labels) for _, labels in batches) == 20
    np.testing.assert_allclose(batches[0][0][1][0], [0.0625, 0.0625, 0.9375, 0.9375])


@given(
    aspect=st.floats(0.2, 5),
    min_area=st.floats(0.01, 1),
    max_stretch=st.floats(1, 3),
    flip=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_random_boxes(aspect, min_area, max_stretch, flip, seed):
    """Inside the image, of the requested area and stretch, mirrored only on request."""
    rng = np.random.default_rng(seed)
    boxes = random_boxes(rng, np.full(50, aspect), min_area, max_stretch, flip)
    top, left, bottom, right = boxes.astype("float64").T
    width, height = abs(right - left), bottom - top
    assert boxes.dtype == "float32" and boxes.shape == (50, 4)
    assert ((boxes >= 0) & (boxes <= 1 + 1e-6)).all() and (height > 0).all()
    assert flip or (right > left).all()
    clipped = (width > 1 - 1e-5) | (height > 1 - 1e-5)
    area = (width * height)[~clipped]
    stretch = (aspect * width / height)[~clipped]
    assert (area > min_area - 1e-4).all()
    assert (abs(np.log(stretch)) < np.log(max_stretch) + 1e-3).all()


def test_distribution_of_random_boxes():
    """Half are mirrored; areas are uniform where no crop has to be clipped."""
    rng = np.random.default_rng(0)
    boxes = random_boxes(rng, np.ones(4000), min_area=0.25, max_stretch=1.0)
    top, left, bottom, right = boxes.T
    assert 0.47 < (right < left).mean() < 0.53
    assert (abs(right - left) * (bottom - top)).mean() == pytest.approx(0.625, abs=0.02)
    still = random_boxes(rng, np.ones(10), 1.0, max_stretch=1.0, flip=False)
    np.testing.assert_allclose(still, central_boxes(10, 1.0), atol=1e-6)


@pytest.mark.parametrize(
    ("mode", "flip"), [("arrays", "alternating"), ("stream", True)]
)
def test_shares_together_are_the_whole_batches(squares, mode, flip):
    data, _ = load("squares", squares, mode=mode)
    augmentation = Augmentation(0.3, flip, mixup=0.2, cutmix=0.5)

    def batches(share):
        endless = training_batches(data.train, 2, 16, 1, 0, augmentation, share)
        return [next(endless) for _ in range(4)]  # 3 of the first epoch

    whole, *shares = (batches(Share(*pair)) for pair in ((0, 1), (0, 2), (1, 2)))
    for ((images, boxes), labels), *parts in zip(whole, *shares, strict=True):
        inputs, targets = zip(*parts, strict=True)
        np.testing.assert_array_equal(np.concatenate(targets), labels)
        for expected, *values in zip((images, boxes), *inputs, strict=True):
            np.testing.assert_array_equal(np.concatenate(values), expected)


@given(counts=st.lists(st.integers(1, 9), min_size=2, max_size=6), seed=st.integers(0))
def test_stratified_batches_spread_each_class_evenly(counts, seed):
    """Each n-th part of an epoch has one of a class's n images."""
    labels = np.repeat(np.arange(len(counts)), counts)
    (order,) = batch_rows(labels, len(labels), seed, stratified=True)
    assert sorted(order) == list(range(len(labels)))
    for label, count in enumerate(counts):
        (places,) = np.nonzero(labels[order] == label)
        # Of the other classes as many have come by then, give or take one image each.
        expected = (np.arange(count) + 0.5) * len(labels) / count
        assert np.abs(places + 0.5 - expected).max() <= (
            0.5 * len(labels) / count + len(counts)
        )


def test_stratified_batches_of_equal_classes():
    labels = np.tile(np.arange(8), 12)
    batches = list(batch_rows(labels, 8, 0, stratified=True))
    assert all(sorted(labels[rows]) == list(range(8)) for rows in batches)
    other = list(batch_rows(labels, 8, 1, stratified=True))
    assert not np.array_equal(batches, other)
    shares = [
        list(batch_rows(labels, 8, 0, Share(index, 2), stratified=True))
        for index in range(2)
    ]
    np.testing.assert_array_equal(np.concatenate(shares, axis=1), batches)


def test_what_cannot_be_stratified(squares):
    with pytest.raises(ValueError, match="stratified must be False for multi-label"):
        next(batch_rows(np.zeros((4, 3)), 2, 0, stratified=True))
    data, _ = load("squares", squares, mode="stream")
    with pytest.raises(ValueError, match="stratified batches need images in memory"):
        next(data.train.epoch(8, seed=0, stratified=True))
