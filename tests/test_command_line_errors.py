"""The program `mobilenet_tf`: its help, and what it says of wrong arguments."""

import argparse
import zipfile

import flowers
import pytest
from command_errors import error

import mobilenet_tf
from mobilenet_tf.cli import export, program


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Photographs of two classes."""
    folder = tmp_path_factory.mktemp("photos")
    flowers.photographs(folder, count=2)
    return folder / "photos"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The file of a network that knows no class names."""
    path = tmp_path_factory.mktemp("models") / "model.keras"
    mobilenet_tf.build(
        0.25, base_resolution=32, classes=3, blocks=((64, 2), (128, 2))
    ).save(path)
    return path


@pytest.mark.parametrize("command", [(), *((name,) for name in program.COMMANDS)])
def test_help_fits_a_screen(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        program.main([*command, "--help"])
    assert stopped.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 40 and max(map(len, lines)) <= 96


def test_flags_of_some_formats_stand_in_a_group_of_their_own():
    parser = argparse.ArgumentParser()
    export.add_flags(parser)
    (group,) = (
        group
        for group in parser._action_groups
        if group.title == "litert_int8 and micro"
    )
    listed = {action.dest for action in group._group_actions}
    assert listed == {name for names in export._FLAGS.values() for name in names}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--alpha=x"], "argument --alpha: must be a number such as 0.5 or 5/7"),
        (["--alpha=0"], "--alpha must be a number in (0, 2], got 0.0"),
        (["--rho=1/9"], "--rho must give a side of at least 32 pixels"),
        (["--validation=1"], "--validation must be a number in (0, 1), got 1.0"),
        (["--epochs=0"], "--epochs must be an integer >= 1, got 0"),
        (["--recipe=best"], "argument --recipe: invalid choice: 'best'"),
        (["--weights=none.h5"], "--weights must be an existing file, got 'none.h5'"),
        (["--squeezenet_version=1.1"], "--network=mobilenet has no --squeezenet_v"),
        (["--nothing"], "unrecognized arguments: --nothing"),
        (["--data_dir=x"], "--data_dir is not used where --images is given"),
        (["--dataset=x"], "either --images or --dataset must be given"),
        (["none.keras"], "MODEL.keras must be an existing .keras file, got 'none.k"),
    ],
)
def test_wrong_flags_of_fit(photos, tmp_path, capsys, arguments, message):
    output = tmp_path / "run"
    small = [] if arguments == ["none.keras"] else ["--base_resolution=48"]
    command = ["fit", f"--images={photos}", f"--output={output}", *small, *arguments]
    assert error(capsys, *command).startswith(message)
    assert not output.exists()


def test_unreadable_photographs(photos, tmp_path, capsys):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        content = (photos / "rose" / "IMG_0001.jpg").read_bytes()
        (tmp_path / name / "cut.jpg").write_bytes(content[:300])
    output = tmp_path / "run"
    message = error(capsys, "fit", f"--images={tmp_path}", f"--output={output}")
    assert message == "unreadable files: 2; --skip_unreadable leaves them out:"
    message = error(capsys, "fit", f"--images={output}", f"--output={output}")
    assert message.startswith("--images must be an existing folder, got")
    assert not output.exists()


def test_other_wrong_arguments(model, photos, tmp_path, capsys):
    output = f"--output={tmp_path / 'file'}"
    emptied, torn = tmp_path / "emptied.keras", tmp_path / "torn.keras"
    torn.write_bytes(model.read_bytes()[:-100])
    with zipfile.ZipFile(emptied, "w") as archive:
        archive.writestr("metadata.json", "{}")
    images = f"--images={photos}"
    steps = ["compress", model, images, f"{output}.keras", "--remove_channels=1/2"]
    for arguments, message in (
        (
            ["export", model, "--format=litert_int8"],
            "--images must be given for --f",
        ),
        (
            ["export", model, "--format=onnx", "--lanes=4"],
            "--lanes needs --format=li",
        ),
        (["export", "--format=onnx"], "--output must be given where no MODEL.keras is"),
        (["export", model, "--format=onnx", "--alpha=1"], "--alpha is not used where"),
        (
            ["export", model, "--format=onnx", output],
            "--output must end",
        ),
        (
            ["evaluate", model, images, "--picture=x.jpg"],
            "--picture must end in one of .png",
        ),
        (["compress", model, images, output], "--prune, --cluster, --quantize or"),
        (["compress", model, images, output, "--prune=1/2"], "--output must be a .ker"),
        # Before the first step trains.
        ([*steps, "--prune=3/2"], "--prune must be a number in [0, 1), got 1.5"),
        ([*steps, "--cluster=1"], "--cluster must be an integer >= 2, got 1"),
        (
            [*steps, f"--output={torn}/x.keras", "--prune=1/2"],
            "--output must be in a fol",
        ),
        (["encode", torn, f"{output}.mntc"], f"model file '{torn}' cannot be read: it"),
        (["encode", emptied, f"{output}.mntc"], f"model file '{emptied}' cannot be re"),
        (
            ["predict", model, tmp_path / "no.jpg"],
            "unreadable files: 1; --skip_unreadable",
        ),
        (["train"], "argument COMMAND: invalid choice: 'train'"),
        ([], "the following arguments are required: COMMAND"),
    ):
        assert error(capsys, *arguments).startswith(message)
    assert {file.name for file in tmp_path.iterdir()} == {emptied.name, torn.name}
