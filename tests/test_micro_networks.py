"""Networks for microcontrollers: heads, bad networks, bad arguments."""

import dataclasses
import re
import sys

import keras
import pytest
from conftest import ROOT
from keras import layers
from PIL import Image

from mobilenet_tf import export, training
from mobilenet_tf.export import c_source, images

pytest.importorskip("tflite_micro")


def small_network(layer=None):
    inputs = keras.Input((16, 16, 3))
    x = layers.Rescaling(1 / 127.5, -1)(inputs)
    x = layers.Conv2D(8, 3, 2, "same", activation="relu", name="first")(x)
    x = x if layer is None else layer(x)
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    outputs = layers.Dense(3, activation="softmax", name="classifier")(x)
    return keras.Model(inputs, outputs)


def test_logits(tmp_path):
    model = small_network()
    report = export.micro(
        model,
        tmp_path / "model.tflite",
        representative_images=images.default_images(4, seed=3),
        min_agreement=0.0,
        logits=True,
    )
    assert report.memory.operators[-1] == "FULLY_CONNECTED"
    assert report.maximum_difference < 0.06  # of probabilities


def test_features(tmp_path):
    inputs = keras.Input((16, 16, 3))
    x = layers.Rescaling(1 / 127.5, -1)(inputs)
    model = keras.Model(inputs, layers.Conv2D(2, 3, 2, "same")(x))
    path = tmp_path / "features.tflite"
    calibration = images.default_images(4, seed=3)
    report = export.micro(model, path, representative_images=calibration)
    assert report.mean_cosine > 0.99
    header = (tmp_path / "features.h").read_text()
    assert "outputs = 128;" in header and "labels" not in header


class FirstRows(layers.Layer):
    """Keeps a number of rows that depends on the image."""

    def call(self, inputs):
        return inputs[:, : 1 + keras.ops.cast(keras.ops.max(inputs), "int32")]

    def compute_output_shape(self, input_shape):
        return (input_shape[0], None, *input_shape[2:])


@pytest.mark.parametrize(
    "layer, message",
    [
        (keras.ops.erf, r"LiteRT has no operator for .*: Erf"),
        ("elu", r"int8 throughout, but layer 'odd' \(operator 3, ELU\)"),  # float32
        (
            FirstRows(name="odd"),
            r"int8 throughout, but layer 'odd' \(operator 4, CAST\)",
        ),
        ("gelu", r"cannot run layer 'odd' \(operator 2, GELU\): Didn't find op"),
    ],
)
def test_layers_that_cannot_run(layer, message, tmp_path):
    if isinstance(layer, str):
        layer = layers.Activation(layer, name="odd")
    model = small_network(layer)
    calibration = images.default_images(4, seed=3)
    with pytest.raises(ValueError, match=message):
        export.micro(model, tmp_path / "m.tflite", representative_images=calibration)
    assert not list(tmp_path.iterdir())


def test_names():
    assert c_source.method("DEPTHWISE_CONV_2D") == "DepthwiseConv2D"
    assert c_source.method("RELU6") == "Relu6"
    assert c_source.text_literal('a"?\\é') == '"a\\042\\077\\134\\303\\251"'


def test_arguments(tmp_path, monkeypatch):
    model, path = small_network(), tmp_path / "model.tflite"
    calibration = images.default_images(2)
    with pytest.raises(ValueError, match="path must end in"):
        export.micro(model, tmp_path / "model", representative_images=calibration)
    with pytest.raises(ValueError, match="data or representative_images must be"):
        export.micro(model, path)
    with pytest.raises(ValueError, match="min_agreement must be a number in"):
        export.micro(model, path, min_agreement=2)
    with pytest.raises(ValueError, match="logits must be one of"):
        export.micro(model, path, logits="yes")
    any_size = keras.Input((None, None, 3))
    x = layers.Conv2D(3, 1)(any_size)
    dynamic = keras.Model(any_size, layers.GlobalAveragePooling2D()(x))
    with pytest.raises(ValueError, match="square RGB images of one size"):
        export.micro(dynamic, path, representative_images=calibration)
    (tmp_path / "model.h").touch()
    with pytest.raises(ValueError, match=r"must not exist yet, .*model\.h'"):
        export.micro(model, path, representative_images=calibration)
    (tmp_path / "model.h").unlink()
    monkeypatch.setitem(sys.modules, "tflite_micro", None)
    with pytest.raises(ImportError, match=r"pip install 'mobilenet_tf\[micro\]'"):
        export.micro(model, path, representative_images=calibration)
    assert not list(tmp_path.iterdir())


@pytest.mark.thorough
def test_the_ten_lines_of_the_documentation(tmp_path, monkeypatch):
    text = (ROOT / "docs" / "microcontrollers.md").read_text(encoding="utf-8")
    program = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    assert len([line for line in program.splitlines() if line]) <= 10
    # Smaller images and a shorter training, whose network agrees less.
    program = program.replace("96", "32")
    program = program.replace("data=photos)", "data=photos, min_agreement=0)")
    modern = training.RECIPES["modern"]
    short = dataclasses.replace(modern, epochs=2, batch_size=8, side_steps=(1.0,))
    monkeypatch.setitem(training.RECIPES, "modern", short)
    for number, image in enumerate(images.default_images(24)):
        folder = tmp_path / "photos" / ("cat", "dog")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{number}.png")
    monkeypatch.chdir(tmp_path)
    exec(program, {})
    assert '"cat",' in (tmp_path / "pets.cc").read_text()
    assert (tmp_path / "pets_main.cc").exists()
