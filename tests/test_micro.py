"""Networks for microcontrollers, run by TensorFlow Lite Micro's own interpreter."""

import importlib.metadata
import itertools
import json
import re
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
from conftest import ROOT, outputs_of
from keras import layers

import mobilenet_tf
from mobilenet_tf import export
from mobilenet_tf.export import images, tflm
from mobilenet_tf.export.network import Network
from mobilenet_tf.export.tflite import arena, micro
from mobilenet_tf.export.tflite.flatbuffer import File

runtime = pytest.importorskip("tflite_micro").runtime
LABELS = ("cat", 'the "dog"', "Füchsin")


def with_activations(model):
    """The model with batch normalisation as a trained one has it, not 0 and 1.

    An untrained network's activations fade layer by layer, until int8 holds nothing.
    """
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            beta = rng.normal(0, 0.3, beta.shape)
            layer.set_weights([1.5 * gamma, beta, mean, variance])
    return model


def mobilenet(alpha, side):
    keras.utils.set_random_seed(1)
    return with_activations(mobilenet_tf.build(alpha, base_resolution=side, classes=3))


def squeezenet(version, side):
    keras.utils.set_random_seed(1)
    return mobilenet_tf.build_squeezenet(version, resolution=side, classes=3)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A MobileNet and what was written for it."""
    folder = tmp_path_factory.mktemp("micro")
    model = mobilenet(0.25, 32)
    report = export.micro(
        model,
        folder / "pets-v1.tflite",
        labels=LABELS,
        representative_images=images.default_images(2, seed=3),
        min_agreement=0.5,
    )
    return model, folder, report


def test_files(exported):
    _, folder, report = exported
    names = ("pets_v1.cc", "pets_v1.h", "pets_v1_main.cc", "pets-v1.tflite")
    expected = {*names, "pets-v1.tflite.json", "pets-v1.tflite.md"}
    assert {file.name for file in folder.iterdir()} == expected
    record = json.loads((folder / "pets-v1.tflite.json").read_text())
    assert record["memory"]["arena_bytes"] == report.memory.arena_bytes
    card = (folder / "pets-v1.tflite.md").read_text()
    assert f"Arena: {report.memory.arena_bytes:,} bytes" in card
    version = importlib.metadata.version("tflite-micro")
    assert report.memory.interpreter == version and version in card
    assert f"arena {report.memory.arena_bytes:,} bytes" in str(report)
    assert report.memory.flash_bytes == (folder / "pets-v1.tflite").stat().st_size


def test_arena_is_exact(exported):
    _, folder, report = exported
    content = (folder / "pets-v1.tflite").read_bytes()
    image = np.zeros((1, 32, 32, 3), "int8")
    needed = report.memory.arena_bytes
    run = tflm.run(content, image, needed)
    assert run.arena_bytes == needed
    assert run.non_persistent_bytes == report.memory.non_persistent_bytes
    assert run.persistent_bytes == report.memory.persistent_bytes
    with pytest.raises(tflm.TFLMError, match="failed to allocate"):
        tflm.run(content, image, needed - 1)


def outputs_of_litert(path, inputs):
    """The integers of LiteRT, another interpreter with kernels of its own."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    outputs = []
    for values in inputs:
        index = interpreter.get_input_details()[0]["index"]
        interpreter.set_tensor(index, values[None])
        interpreter.invoke()
        output = interpreter.get_output_details()[0]["index"]
        outputs.append(interpreter.get_tensor(output)[0])
    return np.stack(outputs)


def int8_images(side):
    """int8 `(6, side, side, 3)`, as a program passes images, and their pixels."""
    crops = [image[:side, :side] for image in images.default_images(6, seed=9)]
    pixels = np.stack(crops)
    return (pixels.astype("int16") - 128).astype("int8"), pixels


def check_parity(model, path):
    """The interpreter's outputs against Keras' and LiteRT's; the run."""
    inputs, pixels = int8_images(model.input_shape[1])
    content = path.read_bytes()
    run = tflm.measure(content, inputs)
    tensor = File(content).graph.tensors[int(File(content).graph.outputs[0])]
    scale, zero = tensor.quantization.scale[0], tensor.quantization.zeroPoint[0]
    actual = (run.outputs.astype("float32") - zero) * scale
    expected = outputs_of(model, mobilenet_tf.preprocess_input(pixels))
    np.testing.assert_allclose(actual, expected, atol=0.06)
    difference = run.outputs.astype(int) - outputs_of_litert(path, inputs).astype(int)
    assert np.abs(difference).max() <= 2
    return run


def test_parity(exported):
    model, folder, _ = exported
    check_parity(model, folder / "pets-v1.tflite")


@pytest.mark.parametrize(
    "build, size, side",
    [
        (mobilenet, 0.25, 64),
        pytest.param(mobilenet, 0.5, 48, marks=pytest.mark.thorough),
        pytest.param(mobilenet, 0.75, 32, marks=pytest.mark.thorough),
        pytest.param(mobilenet, 1.0, 32, marks=pytest.mark.thorough),
        (squeezenet, "1.1", 64),
    ],
)
def test_parity_of_other_points(build, size, side, tmp_path):
    # Files by the converter alone, which take a quarter of the time to make.
    model = build(size, side)
    calibration = images.resized(images.default_images(2, seed=3), side)
    converted = micro.plain_file(Network.of(model), calibration).content()
    plain = micro.use_less_memory(File(converted), split=False, plan=False)
    path = tmp_path / "model.tflite"
    path.write_bytes(micro.use_less_memory(File(converted)))
    run = check_parity(model, path)
    before = tflm.run(plain, int8_images(side)[0])
    np.testing.assert_array_equal(before.outputs, run.outputs)
    assert run.arena_bytes < before.arena_bytes


def test_array_is_the_file(exported):
    _, folder, report = exported
    source = (folder / "pets_v1.cc").read_text()
    numbers = re.findall(r"0x([0-9a-f]{2}),", source)
    content = (folder / "pets-v1.tflite").read_bytes()
    assert bytes(int(number, 16) for number in numbers) == content
    header = (folder / "pets_v1.h").read_text()
    constants = dict(re.findall(r"constexpr \S+ (\w+) = ([^;]+);", header))
    assert int(constants["model_bytes"]) == len(content)
    assert int(constants["arena_bytes"]) == report.memory.arena_bytes
    assert int(constants["side"]) == 32 and int(constants["outputs"]) == 3
    # One step of int8 is one step of a pixel: from -1 to 1 in 255 steps.
    assert float(constants["input_scale"].rstrip("f")) == pytest.approx(2 / 255)
    assert float(constants["output_scale"].rstrip("f")) == 1 / 256


RUN_EXAMPLE = """\
import ctypes, sys
ctypes.CDLL(sys.argv[1], ctypes.RTLD_GLOBAL)  # the interpreter
sys.exit(ctypes.CDLL(sys.argv[2]).main())
"""


def example_output(folder, pixels, build):
    """What the compiled example prints, run by the shared library of `tflite_micro`.

    No package brings the interpreter's headers: `tflm_headers` declares its exports.
    """
    compiler = shutil.which("c++") or pytest.skip("needs a C++ compiler")
    if sys.platform != "linux":
        pytest.skip("links against the shared library of the Linux package")
    library = build / "example.so"
    subprocess.run(
        [
            *(compiler, "-std=c++17", "-Wall", "-Wextra", "-Werror", "-O0"),
            *("-shared", "-fPIC", "-I", str(ROOT / "tests" / "tflm_headers")),
            *("-I", str(folder), str(folder / "pets_v1.cc")),
            *(str(folder / "pets_v1_main.cc"), "-o", str(library)),
        ],
        check=True,
    )
    return subprocess.run(
        [sys.executable, "-c", RUN_EXAMPLE, runtime._runtime.__file__, str(library)],
        input=pixels.tobytes(),
        capture_output=True,
        check=True,
    ).stdout.decode()


def test_example_prints_what_python_computes(exported, tmp_path):
    _, folder, _ = exported
    content = (folder / "pets-v1.tflite").read_bytes()
    pixels = np.random.default_rng(5).integers(0, 256, (2, 32, 32, 3), "uint8")
    printed = example_output(folder, pixels, tmp_path)
    inputs = (pixels.astype("int16") - 128).astype("int8")
    scores = (tflm.run(content, inputs).outputs.astype(int) + 128) / 256
    assert printed.splitlines() == [
        f"{row.argmax()} {LABELS[row.argmax()]} {row.max():.6f}" for row in scores
    ]


# Its arena may be a little smaller: the Python package's records its allocations.
SMALLER = "arena_bytes = {}", "arena_bytes = {} - 1024"
FEWER = "  operators.AddSoftmax();\n", ""


@pytest.mark.parametrize("line, replacement", [SMALLER, FEWER])
def test_example_needs_arena_and_operators(exported, tmp_path, line, replacement):
    _, folder, report = exported
    for name in ("pets_v1.cc", "pets_v1.h", "pets_v1_main.cc"):
        text = (folder / name).read_text()
        needed = report.memory.arena_bytes
        text = text.replace(line.format(needed), replacement.format(needed))
        (tmp_path / name).write_text(text)
    with pytest.raises(subprocess.CalledProcessError, match="exit status 1"):
        example_output(tmp_path, np.zeros((1, 32, 32, 3), "uint8"), tmp_path)


def test_activations_of_a_plan_do_not_overlap(exported):
    _, folder, report = exported
    planned = File((folder / "pets-v1.tflite").read_bytes())
    buffers = arena.activations(planned)
    offsets = arena.plan(buffers)
    for buffer, other in itertools.combinations(buffers, 2):
        if buffer.first <= other.last and other.first <= buffer.last:
            begin, end = offsets[buffer.tensors[0]], offsets[other.tensors[0]]
            assert begin >= end + other.size or end >= begin + buffer.size
    needed = max(offsets[buffer.tensors[0]] + buffer.size for buffer in buffers)
    assert needed == report.memory.non_persistent_bytes
