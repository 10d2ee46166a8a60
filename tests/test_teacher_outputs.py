"""Outputs of a teacher that are kept: the same student, without the teacher's work."""

import dataclasses

import numpy as np
import pytest
from trainable import QUICK, small_model

from mobilenet_tf.data.batches import training_batches
from mobilenet_tf.files import archive
from mobilenet_tf.training.clone import training_clone
from mobilenet_tf.training.distillation import distil

RECIPE = dataclasses.replace(QUICK, epochs=2, cutmix=1.0, min_area=0.8)


@pytest.fixture(scope="module")
def teacher():
    return small_model(seed=5)


def trained(teacher, data, recipe=RECIPE, **more):
    student = small_model()
    distil(student, teacher, data, recipe, **more)
    return student.get_weights()


def test_kept_outputs_train_the_same_student(teacher, stripes, tmp_path, eagerly):
    lines = []
    without = trained(teacher, stripes)
    kept = {"outputs_folder": tmp_path, "report": lines.append}
    first, second = (trained(teacher, stripes, **kept) for _ in range(2))
    assert lines == [f"outputs of the teacher: epoch {epoch}/2" for epoch in (1, 2)]
    for one, other, again in zip(without, first, second, strict=True):
        # Rounding of the outputs grows with every step.
        np.testing.assert_allclose(one, other, atol=5e-3)
        np.testing.assert_array_equal(other, again)


def test_outputs_are_those_of_the_crops(teacher, stripes, tmp_path, eagerly):
    trained(teacher, stripes, outputs_folder=tmp_path)
    kept = list(archive.iterate_arrays(next(tmp_path.glob("*/epoch0001.npz"))))
    batches = training_batches(stripes.train, 2, 48, 0, 1, RECIPE.augmentation)
    clone = training_clone(teacher, stripes.side, crop_numbers=9)
    assert [each.shape for each in kept] == [(48, 2)] * (stripes.train.size // 48)
    for logits in kept:
        inputs, _ = next(batches)
        expected = np.asarray(clone(list(inputs), training=False))
        np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


def test_others_have_outputs_of_their_own(teacher, stripes, tmp_path, eagerly):
    recipe = dataclasses.replace(RECIPE, epochs=1)
    lines = []
    kept = {"outputs_folder": tmp_path, "report": lines.append}
    trained(teacher, stripes, recipe, **kept)
    trained(teacher, stripes, dataclasses.replace(recipe, learning_rate=0.01), **kept)
    assert len(lines) == 1  # the teacher sees the same
    trained(teacher, stripes, dataclasses.replace(recipe, min_area=0.9), **kept)
    trained(teacher, stripes, recipe, seed=1, **kept)
    assert len(lines) == 3 and len(list(tmp_path.iterdir())) == 3


def test_damaged_outputs_name_their_file(teacher, stripes, tmp_path, eagerly):
    recipe = dataclasses.replace(RECIPE, epochs=1)
    trained(teacher, stripes, recipe, outputs_folder=tmp_path)
    (file,) = tmp_path.glob("*/*.npz")
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(
        ValueError, match=r"epoch0000\.npz' are damaged.*delete the file"
    ):
        trained(teacher, stripes, recipe, outputs_folder=tmp_path)


def test_features_are_not_kept(teacher, stripes, tmp_path):
    with pytest.raises(ValueError, match="outputs_folder must be None with feature_w"):
        trained(teacher, stripes, outputs_folder=tmp_path, feature_weight=1.0)
