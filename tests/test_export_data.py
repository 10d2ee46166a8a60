"""Exports that a data set calibrates and verifies."""

import dataclasses

import numpy as np
import pytest
from conftest import outputs_of

import mobilenet_tf
from mobilenet_tf import export
from mobilenet_tf.data.arrays import ArraySplit
from mobilenet_tf.data.dataset import Batch
from mobilenet_tf.export import images


@pytest.fixture
def without_training_images(stripes):
    batch = stripes.train.contents
    none = Batch(batch.images[:0], batch.aspects[:0], batch.labels[:0])
    return dataclasses.replace(stripes, train=ArraySplit(none))


def test_the_evaluation_split_verifies(trained, without_training_images, tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    data = without_training_images
    report = export.onnx(trained, tmp_path / "model.onnx", data=data)
    assert report.images == data.evaluation.size == 40
    batch = data.evaluation.contents
    pixels = images.resized(list(batch.images.transpose(0, 1, 3, 2)), 32)
    best = outputs_of(trained, pixels / 127.5 - 1).argmax(1)
    assert report.model_accuracy == np.mean(best == batch.labels) > 0.9
    card = (tmp_path / "model.onnx.md").read_text()
    assert "Trained on: stripes" in card
    assert (
        "accuracy of model.onnx on 40 images, all of split 'validation' of 'stripes': "
        f"{report.file_accuracy:.4f}" in card
    )


def test_the_training_split_calibrates(
    trained, stripes, without_training_images, tmp_path
):
    pytest.importorskip("ai_edge_litert")
    path = tmp_path / "model.tflite"
    with pytest.raises(ValueError, match="data must have images in both splits"):
        export.litert(trained, path, "int8", data=without_training_images)
    assert not list(tmp_path.iterdir())
    report = export.litert(trained, path, "int8", data=stripes)
    assert report.file_accuracy > 0.9
    assert b"along\nacross\n" in path.read_bytes()


def test_many_images_are_drawn_at_random(stripes, monkeypatch):
    monkeypatch.setattr(images, "VERIFICATION_IMAGES", 12)
    examples = images.Examples.of_data_set(stripes, classifies=True)
    again = images.Examples.of_data_set(stripes, classifies=True)
    assert examples.source == (
        "of the 40 images of split 'validation' of 'stripes', drawn at random"
    )
    stored = stripes.evaluation.contents
    rows = [
        int((stored.images == image.transpose(0, 2, 1)).all((1, 2, 3)).argmax())
        for image in examples.images
    ]
    assert len(set(rows)) == 12 and rows != sorted(rows)
    np.testing.assert_array_equal(examples.classes, stored.labels[rows])
    np.testing.assert_array_equal(examples.images, again.images)


def test_images_go_before_the_data_set(trained, stripes, tmp_path):
    given = images.default_images(3)
    report = export.saved_model(
        trained,
        tmp_path / "model",
        data=stripes,
        images=given,
        data_description="lines",
    )
    assert report.images == 3 and report.model_accuracy is None
    assert "Trained on: lines" in (tmp_path / "model.md").read_text()


def test_a_data_set_without_labels_verifies(trained, stripes, tmp_path):
    metadata = dataclasses.replace(stripes.metadata, unlabelled=True)
    data = dataclasses.replace(stripes, metadata=metadata)
    report = export.saved_model(trained, tmp_path / "model", data=data)
    assert report.images == 40 and report.model_accuracy is None


def test_arguments_that_do_not_fit(small, trained, stripes, tmp_path):
    path = tmp_path / "m.onnx"
    for model, options, message in (
        (small, {"data": stripes}, "data must have the 3 classes of the model, got 2"),
        (small, {"data": "pets"}, "got 'pets'; pass text .* as data_description="),
        (small, {"data": 5}, "data must be a DataSet, got 5"),
        (trained, {"data": stripes, "classes": [0]}, "classes must be those of images"),
    ):
        with pytest.raises(ValueError, match=message):
            export.onnx(model, path, **options)
    metadata = dataclasses.replace(stripes.metadata, class_names=("b", "a"))
    turned = dataclasses.replace(stripes, metadata=metadata)
    with pytest.raises(ValueError, match="the classes that the model was trained on"):
        export.onnx(trained, path, data=turned)
    with pytest.raises(TypeError, match=r"onnx\(\) got an unexpected .* 'lables'"):
        export.onnx(small, path, lables=["a"])
    features = mobilenet_tf.build(0.25, base_resolution=32, include_top=False)
    assert images.Examples.of_data_set(stripes, classifies=False).classes is None
    with pytest.raises(ValueError, match="labels must be None"):
        export.onnx(features, path, data=stripes, labels=["a"])
    assert not list(tmp_path.iterdir())
