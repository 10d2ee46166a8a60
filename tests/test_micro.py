"""Networks for microcontrollers, run by TensorFlow Lite Micro's own interpreter."""

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
from conftest import ROOT
from keras import layers

import mobilenet_tf
from mobilenet_tf import export
from mobilenet_tf.export import c_source, images, tflm, tflm_process
from mobilenet_tf.export.tflite import arena
from mobilenet_tf.export.tflite.flatbuffer import File

pytest.importorskip("tflite_micro")
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
    return mobilenet_tf.build_squeezenet(
        version, input_shape=(side, side, 3), classes=3
    )


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A MobileNet and what was written for it."""
    folder = tmp_path_factory.mktemp("micro")
    model = mobilenet(0.25, 32)
    report = export.micro(
        model,
        folder / "pets-v1.tflite",
        labels=LABELS,
        representative_images=images.default_images(8, seed=3),
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


def check_parity(model, path):
    """The interpreter's outputs against Keras' and LiteRT's."""
    side = model.input_shape[1]
    pixels = np.stack(
        [image[:side, :side] for image in images.default_images(6, seed=9)]
    )
    inputs = (pixels.astype("int16") - 128).astype("int8")
    content = path.read_bytes()
    run = tflm.measure(content, inputs)
    tensor = File(content).graph.tensors[int(File(content).graph.outputs[0])]
    scale, zero = tensor.quantization.scale[0], tensor.quantization.zeroPoint[0]
    actual = (run.outputs.astype("float32") - zero) * scale
    expected = model.predict(mobilenet_tf.preprocess_input(pixels), verbose=0)
    np.testing.assert_allclose(actual, expected, atol=0.06)
    difference = run.outputs.astype(int) - outputs_of_litert(path, inputs).astype(int)
    assert np.abs(difference).max() <= 2


def test_parity(exported):
    model, folder, _ = exported
    check_parity(model, folder / "pets-v1.tflite")


@pytest.mark.thorough
@pytest.mark.parametrize(
    "build, size, side",
    [
        (mobilenet, 0.25, 96),
        (mobilenet, 0.5, 64),
        (mobilenet, 0.75, 48),
        (mobilenet, 1.0, 32),
        (squeezenet, "1.1", 64),
    ],
)
def test_parity_of_other_points(build, size, side, tmp_path):
    model = build(size, side)
    calibration = images.default_images(8, seed=3)
    path = tmp_path / "model.tflite"
    export.micro(model, path, representative_images=calibration, min_agreement=0.0)
    check_parity(model, path)


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


def test_example_prints_what_python_computes(exported, tmp_path):
    """The compiled example, with the interpreter of the Python package behind it."""
    compiler = shutil.which("c++") or pytest.skip("needs a C++ compiler")
    _, folder, report = exported
    content = (folder / "pets-v1.tflite").read_bytes()
    sizes = {"MODEL_BYTES": len(content), "INPUT_BYTES": 32 * 32 * 3, "OUTPUTS": 3}
    subprocess.run(
        [
            *(compiler, "-std=c++17", "-Wall", "-Wextra", "-Werror", "-O0"),
            *(f"-D{name}={size}" for name, size in sizes.items()),
            *("-I", str(ROOT / "tests" / "tflm_headers"), "-I", str(folder)),
            *(str(folder / "pets_v1.cc"), str(folder / "pets_v1_main.cc")),
            *("-o", str(tmp_path / "example")),
        ],
        check=True,
    )
    program = tmp_path / "run.py"
    program.write_text(
        "import numpy as np, subprocess, sys\n"
        "values = np.fromfile('input.bin', 'int8').reshape(1, 32, 32, 3)\n"
        "np.save('inputs.npy', values)\n"
        f"command = [sys.executable, '-P', {tflm_process.__file__!r}, '.']\n"
        "command += [open('arena.txt').read()]\n"
        "subprocess.run(command, check=True, stderr=subprocess.DEVNULL)\n"
        "np.load('outputs.npy').tofile('output.bin')\n"
    )
    pixels = np.random.default_rng(5).integers(0, 256, (2, 32, 32, 3), "uint8")
    printed = subprocess.run(
        [tmp_path / "example"],
        input=pixels.tobytes(),
        capture_output=True,
        check=True,
        cwd=tmp_path,
        env={"RUN_TFLM": f"{sys.executable} {program}"},
    ).stdout.decode()
    inputs = (pixels.astype("int16") - 128).astype("int8")
    scores = (tflm.run(content, inputs).outputs.astype(int) + 128) / 256
    assert printed.splitlines() == [
        f"{row.argmax()} {LABELS[row.argmax()]} {row.max():.6f}" for row in scores
    ]
    assert (tmp_path / "model.tflite").read_bytes() == content
    registered = (tmp_path / "operators.txt").read_text().split()
    assert registered == [c_source.method(name) for name in report.memory.operators]


def test_smaller_arena_gives_the_same_integers(exported):
    """Against the same file without parts and plan."""
    from mobilenet_tf.export.network import Network
    from mobilenet_tf.export.tflite import micro

    model, folder, report = exported
    network = Network.of(model)
    calibration = images.resized(images.default_images(8, seed=3), 32)
    file = micro.micro_file(network, calibration)
    plain = micro.use_less_memory(file, split=False, plan=False)
    inputs = np.random.default_rng(0).integers(-128, 128, (3, 32, 32, 3), "int8")
    smaller = (folder / "pets-v1.tflite").read_bytes()
    before, after = tflm.measure(plain, inputs), tflm.measure(smaller, inputs)
    np.testing.assert_array_equal(before.outputs, after.outputs)
    assert after.non_persistent_bytes < 0.9 * before.non_persistent_bytes
    assert after.arena_bytes == report.memory.arena_bytes < before.arena_bytes
    # No activation of the plan overlaps another one that lives at the same time.
    planned = File(smaller)
    buffers = arena.activations(planned)
    offsets = arena.plan(buffers)
    for one in buffers:
        for other in buffers:
            together = one.first <= other.last and other.first <= one.last
            if one is not other and together:
                begin, end = offsets[one.tensors[0]], offsets[other.tensors[0]]
                assert begin >= end + other.size or end >= begin + one.size
