"""The program `mobilenet_tf`: from a folder of photographs to a verified file."""

import functools
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from command_errors import error
from compressible import clustered, same_bits
from conftest import ROOT
from PIL import Image

import mobilenet_tf
from mobilenet_tf.cli import program
from mobilenet_tf.models import keras_file
from mobilenet_tf.models.mobilenet import BLOCKS

SMALL = ("--alpha=1/4", "--rho=2/3", "--base_resolution=48")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Two classes of 20 photographs that a small network can tell apart."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    wave = np.sin(np.arange(40) * np.pi / 2) * 60
    for name, pattern in (("across", wave), ("along", wave[:, None])):
        (folder / name).mkdir()
        for number in range(20):
            pixels = 128 + pattern + rng.normal(0, 20, (40, 40))
            pixels = np.clip(pixels, 0, 255).astype("uint8")
            image = Image.fromarray(pixels).convert("RGB")
            image.save(folder / name / f"{number}.jpg", quality=95)
        (folder / name / ".DS_Store").write_bytes(b"")
    return folder


@pytest.fixture(scope="module")
def run(photos, tmp_path_factory):
    """The folder of a training of a network of three blocks on them."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    arguments = ["fit", f"--images={photos}", f"--output={folder}", *SMALL]
    build = functools.partial(mobilenet_tf.build, blocks=BLOCKS[:3])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mobilenet_tf, "build", build)
        assert program.main([*arguments, "--recipe=short", "--epochs=4"]) == 0
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A file of a network that is compressible, and knows no class names."""
    path = tmp_path_factory.mktemp("models") / "model.keras"
    blocks = ((64, 2), (512, 2))
    network = mobilenet_tf.build(0.25, base_resolution=32, classes=3, blocks=blocks)
    network.set_weights(
        [clustered(w) if w.ndim > 1 else w for w in network.get_weights()]
    )
    network.save(path)
    return path


def test_fit(run, photos):
    files = {file.name for file in run.iterdir()}
    assert files == {
        "model.keras",
        "history.csv",
        "confusion_matrix.png",
        "snapshot.npz",
    }
    trained = mobilenet_tf.load_model(run / "model.keras")
    assert trained.input_shape[1] == 32
    info = keras_file.training_info(trained)
    assert info.class_names == ("across", "along")
    assert len(info.train_digests) == 36
    header, *rows = (run / "history.csv").read_text().splitlines()
    assert header == "epoch,loss,top1,val_loss,val_top1" and len(rows) == 4


def test_evaluate_leaves_training_photographs_out(run, photos, tmp_path, capsys):
    model = run / "model.keras"
    picture = tmp_path / "confusion.png"
    program.main(["evaluate", str(model), f"--images={photos}", f"--picture={picture}"])
    printed = capsys.readouterr().out
    assert "train 36, validation 4" in printed
    assert "4 images, loss" in printed and "| across" in printed
    assert picture.exists()
    whole = mobilenet_tf.load_model(model)
    data = mobilenet_tf.data.from_folder(photos, model=whole, base_resolution=32)
    assert set(data.train_digests) == set(keras_file.training_info(whole).train_digests)


def test_evaluate_on_some_other_classes(run, photos, tmp_path, capsys):
    (tmp_path / "along").mkdir()
    image = Image.open(photos / "along" / "0.jpg")
    image.save(tmp_path / "along" / "again.png")
    program.main(["evaluate", str(run / "model.keras"), f"--images={tmp_path}"])
    assert "1 images, loss" in capsys.readouterr().out
    (tmp_path / "along").rename(tmp_path / "upwards")
    command = ("evaluate", run / "model.keras", f"--images={tmp_path}")
    message = error(capsys, *command)
    assert "must be classes of the network, but these are not" in message


def test_predict(run, photos, capsys):
    folder, file = photos / "across", photos / "along" / "3.jpg"
    program.main(["predict", str(run / "model.keras"), str(folder), str(file)])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 21
    assert lines[-1].startswith(f"{file} ") and " %, " in lines[-1]


@pytest.mark.parametrize("file_format", ["litert_int8", "saved_model"])
def test_export(run, photos, capsys, file_format, tmp_path):
    pytest.importorskip("ai_edge_litert")
    arguments = ["export", str(run / "model.keras"), f"--format={file_format}"]
    output = tmp_path / ("model.tflite" if "litert" in file_format else "served")
    program.main([*arguments, f"--images={photos}", f"--output={output}"])
    printed = capsys.readouterr().out
    assert "verified on 4 images, all of split 'validation'" in printed
    report = json.loads(output.with_name(f"{output.name}.json").read_text())
    assert report["images"] == 4 and report["model_accuracy"] is not None
    card = output.with_name(f"{output.name}.md").read_text()
    assert photos.name in card and "2 classes" in card


def test_export_of_networks_that_know_no_photographs(model, photos, tmp_path, capsys):
    pytest.importorskip("ai_edge_litert")
    copy = tmp_path / "model.keras"
    copy.write_bytes(model.read_bytes())
    arguments = ["--format=litert_int8", "--min_agreement=0", f"--images={photos}"]
    program.main(["export", str(copy), *arguments])
    printed = capsys.readouterr().out
    assert "verified on 20 photographs" in printed
    assert (tmp_path / "model_int8.tflite").exists()


def test_compress(run, photos, tmp_path, capsys, eagerly):
    output = tmp_path / "small" / "model.keras"
    arguments = ["--remove_channels=1/2", "--recipe=short", "--epochs=1"]
    arguments += [f"--images={photos}", f"--output={output}"]
    program.main(["compress", str(run / "model.keras"), *arguments])
    assert "train 36, validation 4" in capsys.readouterr().out
    small = mobilenet_tf.load_model(output)
    before = mobilenet_tf.load_model(run / "model.keras")
    assert small.count_params() < before.count_params() / 2
    assert keras_file.training_info(small) == keras_file.training_info(before)


def test_encode_decode_inspect(model, photos, tmp_path, capsys):
    pytest.importorskip("constriction")
    encoded, again = tmp_path / "model.mntc", tmp_path / "again.keras"
    program.main(["encode", str(model), f"--output={encoded}"])
    assert f"{encoded.stat().st_size:,} bytes" in capsys.readouterr().out
    program.main(["inspect", str(encoded)])
    shown = capsys.readouterr().out
    assert "stem/kernel" in shown and "codebook" in shown
    program.main(["decode", str(encoded), f"--output={again}"])
    same_bits(mobilenet_tf.load_model(model), mobilenet_tf.load_model(again))
    message = error(capsys, "decode", encoded, f"--output={again}")
    assert message.startswith("--output must not exist yet, got")
    for command in ("encode", "decode", "inspect"):
        file = model if command == "encode" else encoded
        output = () if command == "inspect" else (f"--output={tmp_path / 'new'}.keras",)
        assert "1,000" in error(capsys, command, file, *output, "--max_weights=1000")
    assert "must begin with" in error(capsys, "inspect", model)
    with pytest.raises(SystemExit):
        program.main(["evaluate", str(encoded), f"--images={photos}"])
    errors = capsys.readouterr().err
    assert f"warning: {encoded} does not say which photographs it was" in errors
    assert "model has 3 classes, the data set 2" in errors


def test_a_network_whose_input_range_is_unknown(photos, tmp_path, capsys):
    layers = keras.layers
    network = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(4, 3, strides=2, name="conv"),
            layers.GlobalAveragePooling2D(name="pool"),
            layers.Dense(2, activation="softmax", name="dense"),
        ]
    )
    network.save(file := tmp_path / "own.keras")
    images, output = f"--images={photos}", f"--output={tmp_path / 'small.keras'}"
    for command in (
        ["evaluate", file, images],
        ["predict", file, photos / "along"],
        ["fit", file, images, f"--output={tmp_path / 'run'}"],
        ["compress", file, images, output, "--remove_channels=1/2"],
        ["export", file, "--format=onnx"],
    ):
        message = error(capsys, *command)
        assert message.startswith("--input_range must be given for 'sequential")
    program.main(["evaluate", str(file), images, "--input_range=0,255"])
    assert "40 images, loss" in capsys.readouterr().out
    for wrong in ("0", "255,0"):
        message = error(capsys, "evaluate", file, images, f"--input_range={wrong}")
        assert message.startswith("--input_range must be")
    message = error(capsys, "evaluate", file, images, "--input_range=a,b")
    assert "--input_range: must be numbers such as -1,1, got 'a,b'" in message


def test_difference(model, tmp_path, capsys):
    pytest.importorskip("constriction")
    base, delta, again = (tmp_path / name for name in ("old.keras", "x.mntd", "again"))
    network = mobilenet_tf.load_model(model)
    network.get_layer("classifier").bias.assign([1.0, 2.0, 3.0])
    network.save(base)
    program.main(["encode", str(model), f"--base={base}", f"--output={delta}"])
    assert f"{delta.stat().st_size:,} bytes" in capsys.readouterr().out
    program.main(["decode", str(delta), f"--base={base}", f"--output={again}"])
    assert again.read_bytes() == model.read_bytes()
    options = delta, f"--base={model}", f"--output={tmp_path / 'other'}"
    assert error(capsys, "decode", *options).startswith("--base must be the file that")
    message = error(capsys, "encode", model, f"--base={tmp_path}", f"--output={again}2")
    assert message.startswith("--base must be an existing file")
    message = error(capsys, "encode", model, f"--base={delta}", f"--output={again}2")
    assert message.startswith(f"--base must be a file of the same kind as {model}")


def test_a_program_of_its_own(model):
    as_a_user = {**os.environ}
    as_a_user.pop("TF_CPP_MIN_LOG_LEVEL", None)  # of these tests
    done = subprocess.run(
        [sys.executable, "-m", "mobilenet_tf", "predict", str(model), str(model)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=as_a_user,
    )
    assert done.returncode == 2 and done.stdout == ""
    first, second = done.stderr.splitlines()
    assert first.startswith("mobilenet_tf predict: error: unreadable files: 1;")
    assert f"image file {str(model)!r} cannot be read: it is none of" in second
