"""The command line of the harness: bad flags, dry runs, and what is shown."""

import datetime
import io

import pytest
import tiny_experiment
from absl.flags import IllegalFlagValueError
from conftest import parse_flags
from prepared import prepare
from rich.console import Console

from experiments import (
    imagenet_checkpoints,
    microcontrollers,
    over_the_air,
    resolution_multiplier,
    width_multiplier,
)
from experiments.harness import Config, display, flags, preparation, program
from experiments.sweep.events import Event
from experiments.sweep.progress import Schedule
from experiments.sweep.workdir import Workdir
from experiments.trials.trial import Trial
from mobilenet_tf.data import rendering
from mobilenet_tf.training.recipes import RECIPES

BAD_FLAGS = [
    (["--recipe=best"], "value should be one of <compress|few_epochs|fine_tune|gentle"),
    (["--epochs=0"], "flag --epochs=0: 0 is not a positive integer"),
    (["--only=^7"], "--only must match one of 0.5, 0.25; got '^7'"),
    (["--only=("], "--only must be a regular expression, got '('"),
    (["--base_resolution=20"], "base_resolution 32, but 20 was requested"),
    (["--base_resolution=0"], "flag --base_resolution=0: 0 is not a positive integer"),
    (["--arrays=."], "--arrays must be a file, got the folder '.'"),
    (["--documents=no.md"], "--documents must be existing files, got 'no.md'"),
    (["--only", "^0.25", "dry_run"], "unexpected positional argument: 'dry_run'"),
    (["--dataset=stripes:7.0.0"], "holds version"),
    (["--dataset=circles"], "holds name 'stripes', but 'circles' was requested"),
    (["--cluster=ray://a:1"], "--cluster must be 'local', or HOST:PORT of a Ray"),
    (["--cluster=127.0.0.1:1", "--workers=2"], "--workers must not be given with"),
    (["--cluster=127.0.0.1:1"], "no Ray cluster answers at 127.0.0.1:1 within 20"),
    (["--workers=2", "--trial_cpus=1"], "--trial_cpus must not be given with --clus"),
    (["--storage=s3://a"], "--storage must be given with --cluster= only"),
    (["--hosts=a"], "--hosts must be at least two host names or addresses"),
    (["--hosts=a,b", "--host_index=2"], "--host_index must be from 0 to 1"),
    (["--hosts=a,b", "--host_index=0"], "--hosts must be given with the JAX backend"),
    (
        ["--hosts=a,b", "--workers=2"],
        "--hosts must not be given with --cluster= or --workers=",
    ),
    (["--workdir=/proc/nowhere"], "--workdir must be a directory that can be written"),
]


@pytest.mark.parametrize(("given", "message"), BAD_FLAGS)
def test_bad_flags(
    given, message, stripes_file, tmp_path, monkeypatch, capsys, experiment_flags
):
    monkeypatch.chdir(tmp_path)
    command = ["--dataset=stripes", f"--arrays={stripes_file}", *given]
    with pytest.raises((SystemExit, IllegalFlagValueError)) as error:
        program.execute(tiny_experiment.experiment, parse_flags(*command))
    assert message in str(error.value)
    assert "epoch " not in capsys.readouterr().out


def test_a_damaged_record_is_an_error_before_training(
    stripes_file, tmp_path, capsys, experiment_flags
):
    damaged = tmp_path / "runs" / "records" / "one.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text('{"format": 2, "checksum": "0"}')
    flags = ["--dataset=stripes", f"--arrays={stripes_file}"]
    command = parse_flags(*flags, f"--workdir={tmp_path / 'runs'}")
    with pytest.raises(SystemExit, match=r"one\.json' is damaged .*; delete the file"):
        program.execute(tiny_experiment.experiment, command)
    assert "epoch " not in capsys.readouterr().out


def test_errors_of_the_library_speak_of_flags():
    for library, command_line in (
        ("pass to_rgb=True", "pass --to_rgb"),
        ("choose one with image_key=", "choose one with --image_key="),
        ("evaluation_split must be a", "--eval_split must be a"),
        ("side must be at least 32", "side must be at least 32"),
        ("name must be a TFDS data set", "--dataset must be a TFDS data set"),
        ("nodes fail: a: name must be one", "nodes fail: a: --dataset must be one"),
        ("the file holds name 'a'", "the file holds name 'a'"),
    ):
        assert flags.in_terms_of_flags(library) == command_line


@pytest.mark.parametrize(
    ("experiment", "error", "message"),
    [
        (microcontrollers, "board must be one of", "--board must be one of"),
        (microcontrollers, "sram and flash must be", "--sram and --flash must be"),
        (
            microcontrollers,
            "choose either board= or sram= and flash=",
            "choose either --board= or --sram= and --flash=",
        ),
        (imagenet_checkpoints, "checkpoints must be of", "--checkpoints must be of"),
        (over_the_air, "networks must name", "--networks must name"),
        (
            over_the_air,
            "networks or requantize must be given with measure=True",
            "--networks or --requantize must be given with --measure",
        ),
        (width_multiplier, "board must be one of", "board must be one of"),
    ],
)
def test_errors_of_a_script_speak_of_its_own_flags(experiment, error, message):
    config = experiment.experiment.config
    assert flags.in_terms_of_flags(error, config) == message


def test_a_script_names_its_own_flag(tmp_path, monkeypatch, experiment_flags):
    monkeypatch.chdir(tmp_path)
    command = parse_flags("--board=nothing", "--render")
    with pytest.raises(
        SystemExit, match=r"^microcontrollers: error: --board must be one"
    ):
        program.execute(microcontrollers.experiment, command)


def test_side_too_small_is_an_error_before_any_training(stripes_file, tmp_path):
    config = Config(
        dataset="stripes", arrays=str(stripes_file), workdir=str(tmp_path / "runs")
    )
    with pytest.raises(ValueError, match="rho must give a side of at least 32 pixels"):
        program.main(resolution_multiplier.experiment, config)
    assert not list(tmp_path.rglob("*.json"))


def test_dry_run_prints_costs_and_trains_nothing(tmp_path, capsys):
    config = Config(dry_run=True, workdir=str(tmp_path))
    program.main(width_multiplier.experiment, config)
    output = capsys.readouterr().out
    assert "| 0.25 MobileNet | 224 px |                41 |  41.03 |" in output
    assert not list(tmp_path.rglob("*.json"))


def test_dry_run_writes_the_arrays(tmp_path, capsys):
    """What a machine without TensorFlow is then given."""
    prepare(tmp_path)
    arrays = tmp_path / "squares.npz"
    config = Config(
        dry_run=True, arrays=str(arrays), data_dir=str(tmp_path), dataset="squares"
    )
    program.main(width_multiplier.experiment, config)
    assert "| 1 MobileNet" in capsys.readouterr().out
    assert arrays.exists()


def stripes_trial(seed=0):
    return Trial(
        tiny_experiment.experiment.rows[0].network,
        RECIPES["short"],
        {
            "name": "stripes",
            "class_names": ["a", "b"],
            "base_resolution": 32,
            "train_size": 96,
        },
        seed,
        "float32",
    )


def test_plain_lines_tell_the_time_left(tmp_path, capsys):
    trials, clock = [stripes_trial(seed) for seed in range(2)], iter([100, 160, 161])
    schedule = Schedule(trials, Workdir(tmp_path), clock=lambda: next(clock))
    epochs = RECIPES["short"].epochs
    with display.LineDisplay(schedule) as shown:
        for epoch in (1, epochs):
            shown.show(Event(trials[1].key, epoch, 0.5, loss=0.7))
    first, half = capsys.readouterr().out.splitlines()
    rest = datetime.timedelta(seconds=60 * (2 * epochs - 1))
    assert first.endswith(f"top-1 50.0 %, {rest} left in all")
    assert half.endswith(", 0:01:01 left in all")


def test_a_resumed_grid_counts_its_own_time_only(tmp_path, monkeypatch):
    trial, clock = stripes_trial(), iter([0, 30])
    monkeypatch.setattr(Workdir, "epochs_done", lambda *_: 2)
    schedule = Schedule([trial], Workdir(tmp_path), clock=lambda: next(clock))
    assert schedule.seconds_left is None
    schedule.update(Event(trial.key, 3, 0.5))
    assert schedule.seconds_left == 30 * (trial.training_recipe.epochs - 3)


def test_live_display_shows_one_bar_for_the_grid(tmp_path):
    trial = stripes_trial()
    schedule = Schedule([trial], Workdir(tmp_path))
    console = Console(
        file=io.StringIO(), force_terminal=True, highlight=False, width=120
    )
    with display.LiveDisplay(schedule, console) as shown:
        shown.show(Event(trial.key, 1, 0.5, loss=0.7))
        shown.show(Event(trial.key, 7, 0.9, seconds=3.0))
    text = console.file.getvalue()
    assert "0 of 1 trials done" in text
    assert "0.5, 32 px, seed 0 done: top-1 90.00 % in 3 s" in text


def test_drawing_the_embedded_data_shows_progress(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(rendering, "SPLITS", {"train": 48, "validation": 24})
    config = Config(data_dir=str(tmp_path))
    for _ in range(2):  # it is drawn once
        with preparation.shown(config):
            config.load_data()
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("drawing")] == [
        f"drawing {split} images: {drawn} of {total}"
        for split, total in rendering.SPLITS.items()
        for drawn in range(total // 4, total + 1, total // 4)
    ]
