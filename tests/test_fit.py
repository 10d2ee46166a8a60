"""`mobilenet_tf.fit` as its user calls it: folder, callbacks, progress."""

import csv
import dataclasses
import re

import keras
import numpy as np
import pytest
from trainable import QUICK, TWO_BLOCKS, TWO_STAGES, small_model

import mobilenet_tf
from mobilenet_tf.models import keras_file
from mobilenet_tf.training import RECIPES


def same(model, other):
    pairs = zip(model.get_weights(), other.get_weights(), strict=True)
    return all(np.array_equal(ours, theirs) for ours, theirs in pairs)


def test_reports_each_epoch(stripes):
    lines = []
    progress = mobilenet_tf.fit(small_model(), stripes, QUICK, report=lines.append)
    pattern = (
        r"epoch [1-4]/4  loss \d\.\d{3}  accuracy +[\d.]+ %  validation +[\d.]+ %  "
        r"\d+ s(, about [\d.]+ (s|min|h) left)?"
    )
    assert len(lines) == 4 and all(re.fullmatch(pattern, line) for line in lines)
    assert "left" in lines[0] and "left" not in lines[3]
    assert {*progress.history[0]} == {"loss", "top1", "val_loss", "val_top1"}


def test_silence_and_validation_change_no_weight(stripes, eagerly):
    loud, silent = small_model(), small_model()
    mobilenet_tf.fit(loud, stripes, QUICK, epochs=2)
    progress = mobilenet_tf.fit(silent, stripes, QUICK, epochs=2, report=None)
    assert same(loud, silent)
    assert {*progress.history[0]} == {"loss", "top1"}


def test_killed_and_resumed_in_a_folder(stripes, tmp_path):
    whole, resumed = small_model(), small_model()
    mobilenet_tf.fit(whole, stripes, QUICK, report=None)

    def kill(progress):
        if progress.epoch == 2:
            raise KeyboardInterrupt

    workdir = tmp_path / "runs" / "first"
    with pytest.raises(KeyboardInterrupt):
        mobilenet_tf.fit(small_model(), stripes, QUICK, workdir=workdir, on_epoch=kill)
    assert [file.name for file in workdir.iterdir()] == ["snapshot.npz"]
    lines = []
    mobilenet_tf.fit(resumed, stripes, QUICK, workdir=workdir, report=lines.append)
    assert lines[0] == f"resuming from {workdir / 'snapshot.npz'}"
    assert [line[:9] for line in lines[1:]] == ["epoch 3/4", "epoch 4/4"]
    assert same(whole, resumed)
    stored = mobilenet_tf.load_model(workdir / "model.keras")
    assert same(whole, stored)
    assert keras_file.class_names(stored) == stripes.class_names
    done = mobilenet_tf.fit(small_model(1), stripes, QUICK, workdir=workdir)
    assert done.epoch == 4  # nothing is trained again


def test_a_folder_of_another_training(stripes, tmp_path, eagerly):
    once = dataclasses.replace(QUICK, epochs=1)
    mobilenet_tf.fit(small_model(), stripes, once, workdir=tmp_path, report=None)
    with pytest.raises(ValueError, match="is of another training"):
        mobilenet_tf.fit(small_model(), stripes, once, seed=1, workdir=tmp_path)
    other = mobilenet_tf.build(
        0.25, base_resolution=32, classes=2, activation="relu", blocks=TWO_BLOCKS
    )
    with pytest.raises(ValueError, match="is of another training"):
        mobilenet_tf.fit(other, stripes, once, workdir=tmp_path)
    (tmp_path / "snapshot.npz").unlink()
    with pytest.raises(ValueError, match=r"holds a model\.keras that is of no "):
        mobilenet_tf.fit(small_model(), stripes, once, workdir=tmp_path)
    with pytest.raises(ValueError, match="workdir must be a folder, got the file"):
        mobilenet_tf.fit(small_model(), stripes, once, workdir=tmp_path / "model.keras")


def test_callbacks_see_one_training(stripes, tmp_path):
    """The sides of the recipe are two calls of Keras' fit; a CSV file is one."""
    path = tmp_path / "history.csv"
    seen = []
    counter = keras.callbacks.LambdaCallback(
        on_train_begin=lambda logs: seen.append("begin"),
        on_epoch_begin=lambda epoch, logs: seen.append(epoch),
        on_train_end=lambda logs: seen.append("end"),
    )
    mobilenet_tf.fit(
        small_model(),
        stripes,
        TWO_STAGES,
        callbacks=[keras.callbacks.CSVLogger(path), counter],
    )
    assert seen == ["begin", 0, 1, 2, 3, "end"]
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1", "2", "3"]
    assert {*rows[0]} == {"epoch", "loss", "top1", "val_loss", "val_top1"}


def test_a_callback_ends_the_training_early(stripes, tmp_path, eagerly):
    stop = keras.callbacks.EarlyStopping("val_top1", mode="max", baseline=2, patience=1)
    for _ in range(2):  # and it is not resumed
        progress = mobilenet_tf.fit(
            small_model(), stripes, QUICK, callbacks=[stop], workdir=tmp_path
        )
        assert progress.stopped and progress.epoch == len(progress.history) < 4


def test_recipes_by_name(stripes, eagerly):
    model = small_model()
    progress = mobilenet_tf.fit(model, stripes, epochs=1, report=None)
    assert progress.epoch == 1
    for given, message in (
        ({"recipe": "best"}, "recipe must be one of 'paper', 'modern'"),
        ({"recipe": 3}, "recipe must be a Recipe, got 3"),
        ({"epochs": 0}, "epochs must be an integer >= 1, got 0"),
        ({"callbacks": [print]}, "callbacks must be a Callback, got"),
        ({"report": "yes"}, "report must be a function, got 'yes'"),
    ):
        with pytest.raises(ValueError, match=message):
            mobilenet_tf.fit(model, stripes, **given)
    assert RECIPES["fine_tune"].fit_classifier_first
