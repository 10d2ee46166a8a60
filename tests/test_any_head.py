"""Networks with a user's own head or scaling: every format, with top-1 verification."""

import dataclasses
import functools
import itertools

import heads
import keras
import pytest
from conftest import outputs_of
from keras import layers

import mobilenet_tf
from mobilenet_tf import export
from mobilenet_tf.export import images, verification
from mobilenet_tf.export.network import Network
from mobilenet_tf.models import graph
from mobilenet_tf.models.mobilenet import BLOCKS

pytest.importorskip("ai_edge_litert")
pytest.importorskip("tf2onnx")
from ai_edge_litert.schema_py_generated import TensorType

from mobilenet_tf.export.tflite.flatbuffer import File


def augmented():
    model = heads.sequential(5)
    return keras.Sequential([model.inputs[0], layers.RandomFlip(), *model.layers])


def whole(build, classes=5, **settings):
    """A head on all blocks of MobileNet."""
    return lambda: build(classes, body=heads.base(BLOCKS), **settings)


NETWORKS = {
    "sequential": lambda: heads.sequential(5, None),
    "functional": lambda: heads.functional(5, "softmax"),
    "alexnet": lambda: heads.alexnet(5),
    "augmented": augmented,
    "inputs_in_a_list": lambda: heads.inputs_in_a_list(5),
    "stock": lambda: keras.applications.MobileNet(
        (heads.SIDE, heads.SIDE, 3), 0.25, weights=None, classes=6
    ),
    "squeezenet": lambda: mobilenet_tf.build_squeezenet(resolution=64, classes=4),
    "whole_sequential": whole(heads.sequential, activation=None),
    "whole_functional": whole(heads.functional, activation="softmax"),
    "whole_alexnet": lambda: heads.alexnet(5, narrower=1),
}
INT8 = {
    "quantization": "int8",
    "representative_images": images.default_images(8, seed=3),
    "min_agreement": 0.75,
}
FORMATS = {
    "float32.tflite": export.litert,
    "float16.tflite": functools.partial(export.litert, quantization="float16"),
    "int8.tflite": functools.partial(export.litert, **INT8),
    "throughout.tflite": functools.partial(export.litert, float_output=False, **INT8),
    "file.onnx": export.onnx,
    "folder": export.saved_model,
}
MOST = ("float32.tflite", "int8.tflite", "file.onnx", "folder")


# What runs without --thorough.
QUICK = {
    **dict.fromkeys(("sequential", "functional"), MOST),
    "alexnet": (*MOST, "throughout.tflite"),
    "augmented": ("float16.tflite",),
    "inputs_in_a_list": ("float32.tflite",),
    "stock": ("throughout.tflite",),
    "squeezenet": ("file.onnx",),
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
    """Every network with every format."""
    for name, file in itertools.product(NETWORKS, FORMATS):
        quick = file in QUICK.get(name, ())
        marks = () if quick else pytest.mark.thorough
        yield pytest.param(name, file, marks=marks, id=f"{name}-{file}")


@pytest.mark.parametrize(("name", "file"), list(pairs()))
def test_every_head_in_every_format(name, file, tmp_path):
    path = tmp_path / file
    report = FORMATS[file](network(name), path)
    assert report.top1_agreement >= (0.75 if report.tolerance is None else 1.0)
    if file in ("int8.tflite", "throughout.tflite") and name != "squeezenet":
        check_types(path, head="float32" if file == "int8.tflite" else "int8")


def check_types(path, head):
    """All of an int8 file is int8, with a classifier that computes in `head`."""
    file = File(path.read_bytes())
    *body, classifier = file.layers()

    def types(*layers):
        ends = [index for layer in layers for index in (layer.input, layer.output)]
        return {file.graph.tensors[index].type for index in ends}

    assert types(*body) == {TensorType.INT8}
    assert types(classifier) == {getattr(TensorType, head.upper())}
    assert classifier.bias.dtype == ("float32" if head == "float32" else "int32")
    assert {layer.weights.dtype.name for layer in (*body, classifier)} == {"int8"}


def test_scaling_that_is_applied_twice_fails_verification():
    """A file that scales the input of a network that scales it itself."""
    model = network("sequential")
    prepared = Network.of(model)
    assert prepared.input_range == (0, 255) and prepared.core_range == (-1, 1)
    examples = images.Examples.of(None, None, prepared.labels)
    pixels = images.resized(examples.images, heads.SIDE)
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
    inputs = keras.Input((heads.SIDE, heads.SIDE, 3))
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
