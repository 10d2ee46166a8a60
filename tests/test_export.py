"""Every network in every format, and the verification that comes with it."""

import functools

import keras
import numpy as np
import pytest
from conftest import outputs_of
from PIL import Image

import mobilenet_tf
from mobilenet_tf import export
from mobilenet_tf.export import images, verification
from mobilenet_tf.models.imagenet import PAIRS


def pruned(model):
    """Nine of ten weights are zero."""
    weights = model.get_weights()
    for values in weights:
        if values.ndim > 1:
            values[np.abs(values) < np.quantile(np.abs(values), 0.9)] = 0.0
    model.set_weights(weights)
    return model


def squeezenet(*arguments, **options):
    return mobilenet_tf.build_squeezenet(*arguments, resolution=64, **options)


NETWORKS = {
    "features": lambda: mobilenet_tf.build(0.25, base_resolution=64, include_top=False),
    "pruned": lambda: pruned(mobilenet_tf.build(0.25, base_resolution=64, classes=5)),
    "squeezenet_1.0": lambda: squeezenet(classes=4),
    "squeezenet_1.1": lambda: squeezenet("1.1", classes=4, classifier_activation=None),
    "squeezenet_features": lambda: squeezenet(include_top=False),
    "squeezenet_pruned": lambda: pruned(squeezenet("1.1", classes=4)),
}


NETWORKS |= {
    f"{alpha}_{side}": functools.partial(
        mobilenet_tf.build, alpha, base_resolution=side, classes=10
    )
    for alpha, side in PAIRS
}


def int8_of_anything(model, path):
    # Untrained networks find all classes equally likely: agreement says nothing.
    return export.litert(
        model,
        path,
        "int8",
        images=images.default_images(4),
        representative_images=images.default_images(4, seed=3),
        min_agreement=0.0,
    )


FORMATS = {
    "saved_model": export.saved_model,
    "tflite": export.litert,
    "float16.tflite": functools.partial(export.litert, quantization="float16"),
    "int8.tflite": int8_of_anything,
    "onnx": export.onnx,
}


# SavedModels have tests of their own.
QUICK = {
    *(("pruned", "tflite"), ("squeezenet_1.0", "float16.tflite")),
    *(("squeezenet_1.1", "int8.tflite"), ("0.25_128", "onnx")),
    ("squeezenet_features", "onnx"),
}


def pairs():
    """Every network in every format; without --thorough some."""
    for network in NETWORKS:
        for name in FORMATS:
            quick = (network, name) in QUICK
            marks = () if quick else pytest.mark.thorough
            yield pytest.param(network, name, marks=marks, id=f"{network}-{name}")


@pytest.mark.parametrize(("network", "name"), list(pairs()))
def test_every_network_in_every_format(network, name, tmp_path):
    for package in ("ai_edge_litert", "onnxruntime", "tf2onnx"):
        pytest.importorskip(package)
    keras.utils.set_random_seed(3)
    model = NETWORKS[network]()
    for layer in model.layers:
        if layer.name.endswith("_bn"):
            # Signals would fade, since nothing has been trained.
            layer.gamma.assign(layer.gamma * 4)
            layer.beta.assign(layer.beta + 0.5)
    report = FORMATS[name](model, tmp_path / f"model.{name}")
    pixels = images.resized(images.default_images(4), model.input_shape[1])
    outputs = outputs_of(model, pixels / 127.5 - 1)
    assert report.maximum_difference <= (
        report.tolerance or 0.1 * np.abs(outputs).max()
    )
    assert len(list(tmp_path.iterdir())) == 3


def compare(name, expected, actual, *, classes=None, classifies=True, **options):
    """A comparison of outputs whose images do not matter."""
    if classes is not None:
        classes = np.asarray(classes)
    examples = images.Examples([], classes)
    return verification.compare(
        name, examples, expected, actual, classifies=classifies, **options
    )


def test_tolerance_is_of_the_largest_output():
    """Features and logits in the hundreds are no less equal than probabilities."""
    expected = np.linspace(0, 400, 12).reshape(3, 4)
    found = expected * (1 + 5e-5)
    report = compare("x", expected, found)
    assert report.tolerance == pytest.approx(0.04)
    with pytest.raises(ValueError, match="differs from the model"):
        compare("x", expected / 400, expected / 400 + 2e-4)


def test_a_folder_is_named_with_or_without_a_slash(small, tmp_path):
    (tmp_path / "out.md").touch()
    with pytest.raises(ValueError, match=r"must not exist yet, .*out\.md'"):
        export.saved_model(small, f"{tmp_path}/out/")
    with pytest.raises(ValueError, match="SavedModel path must be a directory"):
        export.saved_model(small, tmp_path / "out.tflite")


def test_onnx(small, tmp_path):
    """A client that has onnxruntime alone."""
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    path = tmp_path / "model.onnx"
    export.onnx(small, path, labels=["cat", "dog", "fox"])
    session = onnxruntime.InferenceSession(path)
    assert session.get_modelmeta().custom_metadata_map["labels"] == "cat\ndog\nfox"
    pixels = np.stack([image[:64, :64] for image in images.default_images(3, seed=9)])
    (found,) = session.run(None, {"image": pixels.astype("float32")})
    expected = outputs_of(small, pixels / np.float32(127.5) - 1)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    with pytest.raises(ValueError, match=r"path must end in \.onnx"):
        export.onnx(small, tmp_path / "model")


def test_onnx_of_convolutions_in_groups(tmp_path):
    pytest.importorskip("tf2onnx")
    arguments = {"base_resolution": 32, "classes": 3, "blocks": ((64, 2), (128, 2))}
    block = mobilenet_tf.models.blocks.shuffled_separable
    model = mobilenet_tf.build(0.25, block=block, **arguments)
    report = export.onnx(model, tmp_path / "model.onnx")
    assert report.maximum_difference < 1e-5


def test_the_card_of_what_was_measured(small, tmp_path):
    pytest.importorskip("onnxruntime")
    path = tmp_path / "model.onnx"
    pictures = images.default_images(16)
    given = {"images": pictures, "classes": [0] * 16, "data_description": "pets"}
    report = export.onnx(small, path, **given)
    card = path.with_name("model.onnx.md").read_text()
    assert 'datasets: ["pets"]\n' in card
    assert f'{{"type": "accuracy", "value": {round(report.file_accuracy, 4)}, ' in card
    assert "Trained on: pets" in card
    assert (
        "accuracy of model.onnx on 16 images given, which must not be training images: "
        f"{report.file_accuracy:.4f}" in card
    )


def test_agreement_and_accuracy():
    outputs = np.eye(4)
    swapped = outputs[[0, 1, 3, 2]]
    with pytest.raises(ValueError, match=r"less than min_agreement=0.9, .* on 50.0 %"):
        compare("int8", outputs, swapped, min_agreement=0.9, tolerance=None)
    report = compare("int8", outputs, swapped, classes=range(4), tolerance=None)
    assert (report.model_accuracy, report.file_accuracy) == (1.0, 0.5)
    assert "top-1 50.0 % (Keras model 100.0 %)" in str(report)


def test_a_nan_is_not_equal():
    outputs = np.full((2, 3), np.nan)
    with pytest.raises(ValueError, match="differs from the model"):
        compare("onnx", np.zeros((2, 3)), outputs)


def test_features_agree_by_their_direction():
    features = np.random.default_rng(0).normal(size=(5, 4, 4, 8))
    quantized = {"classifies": False, "tolerance": None, "min_agreement": 0.9}
    report = compare("int8", features, features + 0.01, **quantized)
    assert report.top1_agreement is None
    assert 0.99 < report.mean_cosine < 1
    with pytest.raises(ValueError, match=r"less than min_agreement=0.9"):
        compare("int8", features, features[::-1], **quantized)
    with pytest.raises(ValueError, match=r"outputs of shape \(4, .* of \(5,"):
        compare("int8", features, features[1:], **quantized)


def test_another_activation_than_softmax_is_refused(tmp_path):
    model = mobilenet_tf.build(
        0.25, base_resolution=32, classes=3, classifier_activation="sigmoid"
    )
    with pytest.raises(ValueError, match="must be 'softmax' or None here, got 'sigm"):
        export.saved_model(model, tmp_path / "model")
    with pytest.raises(ValueError, match="must be 'softmax' or None here, got 'sigm"):
        export.litert(
            model,
            tmp_path / "m.tflite",
            "int8",
            representative_images=images.default_images(2),
        )
    assert not list(tmp_path.iterdir())


def test_folder_without_photographs(tmp_path):
    with pytest.raises(ValueError, match="at least two image files"):
        images.read_folder(tmp_path)


def test_of_a_large_folder_only_the_chosen_files_are_opened(tmp_path):
    for number in range(6):
        photograph = Image.new("RGB", (9, 8), (40 * number, 0, 0))
        photograph.save(tmp_path / f"{number}.png")
    (tmp_path / "3.png").write_bytes(b"")
    read, _ = images.read_folder(tmp_path, maximum=3)
    assert [image[0, 0, 0] for image in read] == [0, 80, 160]
    with pytest.raises(ValueError, match="unreadable files: 1"):
        images.read_folder(tmp_path)
    with pytest.warns(UserWarning, match="unreadable files left out: 1"):
        read, _ = images.read_folder(tmp_path, skip_unreadable=True)
    assert [image[0, 0, 0] for image in read] == [0, 40, 80, 160, 200]
