"""Networks with a user's own head or scaling: every format, with top-1 verification."""

import dataclasses
import functools

import keras
import pytest
from conftest import outputs_of
from keras import layers

import mobilenet_tf
from mobilenet_tf import export
from mobilenet_tf.export import images, verification
from mobilenet_tf.export.network import Network
from mobilenet_tf.models import architecture, baselines, graph

pytest.importorskip("ai_edge_litert")
pytest.importorskip("tf2onnx")
SIDE = 32


def base():
    return mobilenet_tf.build(
        0.25, base_resolution=SIDE, include_top=False, pooling="avg"
    )


def sequential():
    scale = layers.Rescaling(1 / 127.5, -1)
    inputs = keras.Input((SIDE, SIDE, 3))
    return keras.Sequential([inputs, scale, base(), layers.Dense(5)])


def augmented():
    inputs = keras.Input((SIDE, SIDE, 3))
    first = [layers.RandomFlip(), layers.Rescaling(1 / 127.5, -1)]
    return keras.Sequential([inputs, *first, base(), layers.Dense(5, "softmax")])


def functional():
    body = base()
    return keras.Model(
        body.input, layers.Dense(5, "softmax", name="dense")(body.output)
    )


def inputs_in_a_list():
    """A flat network, built from lists of one input and one output."""
    body = base()
    return keras.Model([body.input], [layers.Dense(5, "softmax")(body.output)])


def alexnet():
    """AlexNet with 32 units in fc6 and fc7, of 2.4 million weights instead of 58."""
    whole = architecture.describe(baselines.alexnet(classes=5, resolution=67))
    return architecture.build(
        dataclasses.replace(
            whole,
            layers=tuple(
                spec.with_settings(units=32) if spec.name in ("fc6", "fc7") else spec
                for spec in whole.layers
            ),
        )
    )


NETWORKS = {
    "sequential": sequential,
    "augmented": augmented,
    "functional": functional,
    "stock": lambda: keras.applications.MobileNet(
        (SIDE, SIDE, 3), 0.25, weights=None, classes=6
    ),
    "squeezenet": lambda: mobilenet_tf.build_squeezenet(resolution=64, classes=4),
    "alexnet": alexnet,
    "inputs_in_a_list": inputs_in_a_list,
}
INT8 = {
    "quantization": "int8",
    "representative_images": images.default_images(8, seed=3),
    "min_agreement": 0.75,
}
ALWAYS = (
    ("sequential", "int8.tflite"),
    ("alexnet", "float32.tflite"),
    ("alexnet", "int8.tflite"),
)
FORMATS = {
    "float32.tflite": export.litert,
    "float16.tflite": functools.partial(export.litert, quantization="float16"),
    "int8.tflite": functools.partial(export.litert, **INT8),
    "throughout.tflite": functools.partial(export.litert, float_output=False, **INT8),
    "file.onnx": export.onnx,
    "folder": export.saved_model,
}


@functools.cache
def network(name):
    """Untrained, with signals that do not fade."""
    keras.utils.set_random_seed(3)
    model = NETWORKS[name]()
    for layer in model._flatten_layers():
        if isinstance(layer, layers.BatchNormalization):
            layer.gamma.assign(layer.gamma * 4)
            layer.beta.assign(layer.beta + 0.5)
    return model


def pairs():
    """Every network in every format; without --thorough by turns in one of them."""
    for place, name in enumerate(NETWORKS):
        for turn, file in enumerate(FORMATS):
            quick = (place - turn) % len(FORMATS) == 0 or (name, file) in ALWAYS
            marks = () if quick else pytest.mark.thorough
            yield pytest.param(name, file, marks=marks, id=f"{name}-{file}")


@pytest.mark.parametrize(("name", "file"), list(pairs()))
def test_every_head_in_every_format(name, file, tmp_path):
    report = FORMATS[file](network(name), tmp_path / file)
    assert report.top1_agreement >= (0.75 if report.tolerance is None else 1.0)


def test_scaling_that_is_applied_twice_fails_verification():
    """A file that scales the input of a network that scales it itself."""
    model = network("sequential")
    prepared = Network.of(model)
    assert prepared.input_range == (0, 255) and prepared.core_range == (-1, 1)
    examples = images.Examples.of(None, None, prepared.labels)
    pixels = images.resized(examples.images, SIDE)
    expected = verification.model_outputs(model, prepared.input_range, pixels)

    def verify(prepared):
        outputs = outputs_of(prepared.on_pixels(), pixels)
        return verification.compare("x", examples, expected, outputs, classifies=True)

    assert verify(prepared).top1_agreement == 1.0
    twice = dataclasses.replace(prepared, core=graph.flatten(model))
    with pytest.raises(ValueError, match="differs from the model, and was not kept"):
        verify(twice)


def test_the_head_stays_with_the_user(tmp_path):
    """Preparing a network changes nothing about the user's layers."""
    model = network("sequential")
    before = [len(layer._inbound_nodes) for layer in model.layers]
    Network.of(model).on_pixels()
    assert [len(layer._inbound_nodes) for layer in model.layers] == before


def test_an_input_range_that_the_graph_does_not_tell(tmp_path):
    inputs = keras.Input((SIDE, SIDE, 3))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, name="own")(inputs))
    model = keras.Model(inputs, layers.Dense(3)(x), name="mine")
    with pytest.raises(ValueError, match="input_range must be given for 'mine'"):
        export.onnx(model, tmp_path / "m.onnx")
    for wrong in ((1, 0), (0,), "ab", (0, float("nan"))):
        with pytest.raises(ValueError, match="input_range must be None or two numbers"):
            export.onnx(model, tmp_path / "m.onnx", input_range=wrong)
    report = export.onnx(model, tmp_path / "m.onnx", input_range=(0, 1))
    assert report.top1_agreement == 1.0


def test_alexnet_is_known():
    prepared = Network.of(network("alexnet"))
    assert prepared.head.layer.name == "fc8" and prepared.input_range == (-1, 1)


def test_models_that_take_no_square_image(tmp_path):
    model = keras.Sequential([keras.Input((8,)), layers.Dense(2)])
    with pytest.raises(ValueError, match="must take square RGB images of one size"):
        export.onnx(model, tmp_path / "m.onnx", input_range=(0, 1))
