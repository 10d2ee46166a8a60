"""How small LiteRT files are, and that nothing unused is in them."""

import keras
import numpy as np
import pytest

import mobilenet_tf
from mobilenet_tf.export import images
from mobilenet_tf.export.network import Network

pytest.importorskip("ai_edge_litert")
from ai_edge_litert.interpreter import Interpreter

from mobilenet_tf.export.tflite import conversion, int8
from mobilenet_tf.export.tflite.flatbuffer import File

# (alpha, side, classes, kind): bytes without labels; Google's int8 file of 1001 classes
# at 0.25, 128 px has 526 kB.
BYTES = {
    (0.25, 128, 1000, "int8"): 525_152,
    (0.25, 128, 1000, "float32"): 1_871_616,
    (0.25, 128, 1000, "float16"): 941_856,
    (0.25, 64, 5, "int8"): 254_512,
}


def file(alpha, side, classes, kind):
    keras.utils.set_random_seed(1)
    model = mobilenet_tf.build(alpha, base_resolution=side, classes=classes)
    rng = np.random.default_rng(0)
    for layer in model.layers:  # biases as different as those of trained networks
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.beta.assign(rng.normal(size=layer.beta.shape))
    network = Network.of(model)
    if kind != "int8":
        return conversion.float_file(network, half=kind == "float16")
    calibration = images.resized(images.default_images(2), side)
    return int8.quantize(
        network, calibration, lanes=1, float_output=True, correct_biases=False
    )


SMALL = (0.25, 64, 5, "int8")  # another head and another side


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(key, marks=pytest.mark.thorough if key == SMALL else ())
        for key in BYTES
    ],
    ids=str,
)
def test_bytes(key):
    written = file(*key)
    before, after = written.content(), written.packed()
    assert len(after) == BYTES[key]
    model = File(after).model
    (graph,) = model.subgraphs
    used = {tensor.buffer for tensor in graph.tensors}
    assert used == set(range(len(model.buffers)))  # the first is that of no constants
    contents = [bytes(b.data) for b in model.buffers if b.data is not None]
    assert len(contents) == len(set(contents))
    read = {int(i) for o in graph.operators for i in (*o.inputs, *o.outputs)}
    assert read - {-1} | {*graph.inputs, *graph.outputs} == set(
        range(len(graph.tensors))
    )
    codes = {operator.opcodeIndex for operator in graph.operators}
    assert codes == set(range(len(model.operatorCodes)))
    first, second = (_run(content) for content in (before, after))
    np.testing.assert_array_equal(first, second)


def _run(content):
    """Outputs for one image; XNNPACK takes the whole graph."""
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    names = [details["op_name"] for details in interpreter._get_ops_details()]
    assert names.count("DELEGATE") == 1
    runner = interpreter.get_signature_runner("serving_default")
    (details,) = interpreter.get_input_details()
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, details["shape"]).astype(details["dtype"])
    return runner(image=image)["output_0"]
