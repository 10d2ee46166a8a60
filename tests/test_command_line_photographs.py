"""The program `mobilenet_tf` on folders that have grown or hold unreadable files."""

import pytest
from command_errors import error
from folders import write

import mobilenet_tf
from mobilenet_tf.cli import program
from mobilenet_tf.data import from_folder
from mobilenet_tf.models import keras_file


@pytest.fixture
def photos(tmp_path):
    """Twelve photographs of each of two classes."""
    folder = tmp_path / "photos"
    write(folder, {"cat": 12, "dog": 12})
    return folder


@pytest.fixture
def trained(photos, tmp_path):
    """The file of a network that says it was trained on most of them."""
    blocks = ((64, 2), (128, 2))
    model = mobilenet_tf.build(0.25, base_resolution=32, classes=2, blocks=blocks)
    data = from_folder(photos, 0.25, base_resolution=32, mode="stream")
    info = keras_file.TrainingInfo(data.class_names, "photos", data.train_digests)
    keras_file.set_training_info(model, info)
    mobilenet_tf.save_model(model, tmp_path / "model.keras")
    return tmp_path / "model.keras"


@pytest.mark.parametrize("command", ["predict", "export"])
def test_all_unreadable_files_are_named_or_left_out(trained, photos, capsys, command):
    model = mobilenet_tf.load_model(trained)
    keras_file.set_training_info(model, None)  # so that `export` reads the whole folder
    mobilenet_tf.save_model(model, trained)
    for name in ("cut.jpg", "empty.png"):
        (photos / "cat" / name).write_bytes(b"")
    arguments = ["predict", str(trained), str(photos)]
    if command == "export":
        arguments = ["export", str(trained), "--format=saved_model"]
        arguments.append(f"--images={photos}")
    message = error(capsys, *arguments)
    assert message == "unreadable files: 2; --skip_unreadable leaves them out:"
    program.main([*arguments, "--skip_unreadable"])
    printed = capsys.readouterr()
    assert "unreadable files left out: 2" in printed.err
    assert "empty.png" in printed.err
    if command == "export":
        assert "verified on 24 photographs" in printed.out
    else:
        assert len(printed.out.splitlines()) == 24


def test_fit_goes_on_with_its_own_photographs_held_out(trained, photos, tmp_path):
    before = mobilenet_tf.load_model(trained)
    known = set(keras_file.training_info(before).train_digests)
    write(photos, {"cat/new": 4, "dog/new": 4}, start=100)
    output = tmp_path / "run"
    start = ["fit", str(trained), f"--images={photos}", f"--output={output}"]
    program.main([*start, "--recipe=short", "--epochs=1"])
    after = keras_file.training_info(mobilenet_tf.load_model(output / "model.keras"))
    assert set(after.train_digests) > known
    data = from_folder(photos, continue_from=before, base_resolution=32)
    assert not set(data.evaluation_digests) & set(after.train_digests)
    assert len(after.train_digests) + data.evaluation.size == 32


def test_fit_warns_of_validation_photographs_that_were_trained_on(trained, photos):
    model = mobilenet_tf.load_model(trained)
    data = from_folder(photos, 0.25, seed=3, base_resolution=32)
    with pytest.warns(UserWarning, match=r"trained on \d of the 6 validation photo"):
        mobilenet_tf.fit(model, data, "short", epochs=1, report=None)
