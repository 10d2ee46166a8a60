"""Mirroring in turn, and blends of two images: by formulas of their own."""

import dataclasses

import numpy as np
import pytest
from trainable import QUICK

from mobilenet_tf.data.augmentation import (
    Augmentation,
    blended,
    first_orientations,
)
from mobilenet_tf.data.batches import training_batches
from mobilenet_tf.data.boxes import central_boxes
from mobilenet_tf.data.dataset import Batch
from mobilenet_tf.training.cropping import CropResize

SIDE = 24


def batch(count=64, seed=0):
    images = np.random.default_rng(seed).integers(0, 256, (count, SIDE, 3, SIDE))
    labels = np.arange(count) % 3
    return Batch(images.astype("uint8"), np.ones(count, "float32"), labels)


def crops(augmentation, images, epoch=0, seed=0):
    return augmentation.crops(images, np.random.default_rng([seed, epoch]), seed, epoch)


def is_mirrored(boxes):
    return boxes[:, 1] > boxes[:, 3]


def test_each_image_is_seen_in_both_orientations_in_turn():
    images = batch()
    alternating = Augmentation(flip="alternating")
    epochs = [is_mirrored(crops(alternating, images, epoch)) for epoch in range(4)]
    np.testing.assert_array_equal(epochs[0], ~epochs[1])
    np.testing.assert_array_equal(epochs[0], epochs[2])
    assert 16 < epochs[0].sum() < 48
    other = first_orientations(images.images, seed=1)
    assert 16 < (epochs[0] != other).sum() < 48
    # It is a property of the image, wherever in the epoch it comes.
    order = np.random.default_rng(1).permutation(len(images))
    shuffled = Batch(images.images[order], images.aspects, images.labels[order])
    np.testing.assert_array_equal(
        is_mirrored(crops(alternating, shuffled)), epochs[0][order]
    )


@pytest.mark.parametrize(
    "setting", [{"mixup": 0.4}, {"cutmix": 1.0}, {"mixup": 0.4, "cutmix": 1.0}]
)
def test_blends_and_their_targets(setting):
    """Each pixel, and the share of the labels that it stands for."""
    images, one_hot = batch(400), np.eye(3)[np.arange(400) % 3]
    numbers = crops(Augmentation(min_area=1.0, flip=False, **setting), images)
    whole = central_boxes(len(images), 1.0)
    plain = np.asarray(CropResize(SIDE)([images.images, whole]))
    found = np.asarray(
        CropResize(SIDE)([images.images, np.hstack([whole, numbers[:, 4:]])])
    )
    partner = np.arange(400) ^ 1
    shares = []
    for index, (share, top, left, bottom, right) in enumerate(numbers[:, 4:]):
        weight = np.zeros((SIDE, SIDE, 1))
        for row in range(SIDE):
            for column in range(SIDE):
                y, x = (row + 0.5) / SIDE, (column + 0.5) / SIDE
                weight[row, column] = share * (top <= y < bottom and left <= x < right)
        expected = (1 - weight) * plain[index] + weight * plain[partner[index]]
        np.testing.assert_allclose(found[index], expected, atol=1e-5)
        shares.append(weight.mean())
    targets = blended(one_hot, numbers)
    np.testing.assert_allclose(targets.sum(1), 1, atol=1e-6)
    expected = one_hot + np.array(shares)[:, None] * (one_hot[partner] - one_hot)
    # A box's share is its area; its pixels are those whose centres it has.
    np.testing.assert_allclose(targets, expected, atol=2 / SIDE)
    kinds = {"mixup": (numbers[:, 4] < 1).any(), "cutmix": (numbers[:, 8] < 1).any()}
    assert kinds == {kind: kind in setting for kind in kinds}
    np.testing.assert_array_equal(numbers[0::2, 4:], numbers[1::2, 4:])


@pytest.mark.parametrize(("mixup", "cutmix"), [(0.4, 0.0), (0.0, 1.0)])
def test_shares_have_their_distribution(mixup, cutmix):
    numbers = crops(Augmentation(mixup=mixup, cutmix=cutmix), batch(20_000))
    share, top, left, bottom, right = numbers[0::2, 4:].T
    if mixup:  # Beta(a, a): mean 1/2, variance 1 / (8 a + 4)
        np.testing.assert_allclose(share.mean(), 0.5, atol=0.02)
        np.testing.assert_allclose(share.var(), 1 / (8 * mixup + 4), atol=0.01)
    else:  # clipped boxes are smaller than the share that was drawn
        area = (bottom - top) * (right - left)
        assert 0.2 < area.mean() < 0.5 and (area > 0).all() and (area <= 1).all()
        np.testing.assert_allclose((top + bottom).mean(), 1, atol=0.02)


def test_a_batch_of_an_odd_split_is_even():
    recipe = dataclasses.replace(QUICK, mixup=0.2, batch_size=64)
    assert recipe.batch_of(33) == 32 and QUICK.batch_of(33) == 33
    with pytest.raises(ValueError, match="batch_size must be even with mixup or cutm"):
        dataclasses.replace(recipe, batch_size=33)


def test_batches_of_an_epoch_follow_from_seed_and_epoch(stripes):
    augmentation = Augmentation(flip="alternating", mixup=0.2, cutmix=1.0)
    runs = [
        training_batches(stripes.train, 2, 16, 3, first, augmentation)
        for first in (0, 1)
    ]
    steps = stripes.train.size // 16
    once = [next(runs[0]) for _ in range(steps + 1)]
    (images, numbers), targets = next(runs[1])
    np.testing.assert_array_equal(images, once[-1][0][0])
    np.testing.assert_array_equal(numbers, once[-1][0][1])
    np.testing.assert_array_equal(targets, once[-1][1])
