"""Keras files that hold the names of the classes."""

import zipfile

import keras
import numpy as np
import pytest
from trainable import small_model

import mobilenet_tf
from mobilenet_tf.models import keras_file
from mobilenet_tf.models.keras_file import TrainingInfo

INFO = TrainingInfo(("chat", "œuf"), "photos 1.0", ("ab" * 32,))


@pytest.fixture
def model():
    model = small_model()
    keras_file.set_training_info(model, INFO)
    return model


def test_names_come_back(model, tmp_path):
    path = tmp_path / "model.keras"
    mobilenet_tf.save_model(model, path)
    assert [file.name for file in tmp_path.iterdir()] == ["model.keras"]
    loaded = mobilenet_tf.load_model(path)
    assert keras_file.training_info(loaded) == INFO
    assert keras_file.class_names(loaded) == INFO.class_names
    for ours, theirs in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_keras_reads_the_file(model, tmp_path):
    path = tmp_path / "model.keras"
    mobilenet_tf.save_model(model, path)
    assert keras.models.load_model(path).count_params() == model.count_params()
    model.save(path)
    assert keras_file.training_info(mobilenet_tf.load_model(path)) is None


def test_damaged_files(model, tmp_path):
    path = tmp_path / "model.keras"
    mobilenet_tf.save_model(model, path)
    content = path.read_bytes()
    path.write_bytes(content[:-100])
    with pytest.raises(ValueError, match=r"model\.keras' cannot be read: it is no zip"):
        mobilenet_tf.load_model(path)
    for text in ("[]", "{}", '{"class_names": [1], "train_digests": [], "data": ""}'):
        path.write_bytes(content)
        with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning):
            archive.writestr(keras_file.MEMBER, text)
        with pytest.raises(ValueError, match=r"its mobilenet_tf\.json is damaged"):
            mobilenet_tf.load_model(path)


def test_bad_paths(model, tmp_path):
    for path in (tmp_path / "model.h5", tmp_path / "nowhere" / "model.keras"):
        with pytest.raises(ValueError, match=r"path must end in \.keras and be in an"):
            mobilenet_tf.save_model(model, path)
        with pytest.raises(ValueError, match=r"path must be an existing \.keras file"):
            mobilenet_tf.load_model(path)
    assert [file.name for file in tmp_path.iterdir()] == []
