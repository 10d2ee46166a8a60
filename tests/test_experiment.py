"""The harness as a program: real processes, killed and started again."""

import functools
import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tiny_experiment
from absl.flags import FLAGS, IllegalFlagValueError
from conftest import ROOT
from rich.console import Console
from test_data import prepare

import mobilenet_tf
from experiments import resolution_multiplier, width_multiplier
from experiments.harness import Config, Network, display, flags, preparation, program
from experiments.harness.progress import Event, Schedule
from experiments.harness.workdir import Workdir
from experiments.trials import bitmap
from experiments.trials.trial import Trial
from mobilenet_tf.data import rendering
from mobilenet_tf.training.recipes import RECIPES


@pytest.fixture
def tiny(tmp_path, stripes_file):
    """Start the tiny experiment with flags; the data is a file of arrays."""

    started = []

    def start(*flags, workdir="runs", **environment):
        command = [sys.executable, "-m", "tiny_experiment", "--dataset=stripes"]
        command += [f"--arrays={stripes_file}", f"--workdir={workdir}", *flags]
        paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": paths, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()  # what a failed test has left


def finish(process):
    output, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    return output


def trained(folder):
    records = [json.loads(path.read_text()) for path in folder.glob("records/*.json")]
    return {record["label"]: record for record in records}


def weights(folder):
    files = sorted((folder / "trials").glob("*.keras"))
    models = [keras.models.load_model(file) for file in files]
    return [weight for model in models for weight in model.get_weights()]


def test_kill_and_resume(tiny, tmp_path):
    whole = finish(tiny("--epochs=5", workdir="whole"))
    assert whole.count("epoch ") == 10

    killed = tiny("--epochs=5", workdir="killed")
    lines = []
    for line in killed.stdout:
        lines.append(line)
        if "epoch 2/5" in line:
            break
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    resumed = finish(tiny("--epochs=5", workdir="killed"))
    epochs = [line for line in resumed.splitlines() if "epoch " in line]
    assert "epoch 1/5" not in epochs[0]  # the unfinished trial is resumed
    pairs = zip(weights(tmp_path / "whole"), weights(tmp_path / "killed"), strict=True)
    assert all(np.array_equal(first, second) for first, second in pairs)

    again = finish(tiny("--epochs=5", workdir="killed"))
    assert "epoch " not in again  # no finished trial is repeated
    assert not list((tmp_path / "killed" / "trials").glob("*.npz"))
    tables = [text[text.index("**Tiny**") :] for text in (whole, again)]
    assert tables[0].splitlines()[:6] == tables[1].splitlines()[:6]


def test_record_is_complete(tiny, tmp_path):
    finish(tiny("--epochs=2"))
    record = trained(tmp_path / "runs")["0.25"]
    assert record["experiment"] == "tiny"
    assert record["network"]["arguments"] == {"alpha": 0.25}
    assert record["precision"] in ("float32", "pointwise_bfloat16")  # of auto
    assert record["kernels"] in ("onednn", "eigen")
    assert record["recipe"]["name"] == "modern"
    assert record["recipe"]["epochs"] == 2
    assert record["data"]["name"] == "stripes"
    assert record["data"]["evaluation_split"] == "validation"
    top1 = record["metrics"]["top1"]
    assert bitmap.decode(record["correct"]).mean() == pytest.approx(top1)
    assert record["cost"]["side"] == 32
    assert len(record["history"]) == 2
    assert record["seconds"] > 0
    assert {"commit", "dirty", "versions", "device", "backend", "seed"} <= set(record)


def test_only_trains_what_matches(tiny, tmp_path):
    finish(tiny("--epochs=1", "--only=^0.2"))
    assert set(trained(tmp_path / "runs")) == {"0.25"}


def test_records_of_another_split_are_no_seeds(tiny, tmp_path):
    finish(tiny("--epochs=1", "--only=^0.2"))
    (path,) = (tmp_path / "runs" / "records").glob("*.json")
    record = json.loads(path.read_text())
    record["key"] += "x"
    record["data"]["evaluation_split"] = "test"
    path.with_name("other.json").write_text(json.dumps(record))
    process = tiny("--epochs=1", "--render")
    _, errors = process.communicate()
    assert process.returncode == 1
    assert "values of --eval_split: test, validation; choose one with --eval" in errors
    finish(tiny("--epochs=1", "--render", "--eval_split=test"))
    record["data"] = {**record["data"], "evaluation_split": "validation"}
    record["data"]["label_key"] = "coarse"
    path.with_name("other.json").write_text(json.dumps(record))
    path.with_name("killed.json.partial").write_text("{")
    _, errors = tiny("--epochs=1", "--render").communicate()
    assert "values of --label_key: None, coarse; choose one with --label_key" in errors
    # Where the data is loaded, it is known which records are of it.
    row = re.search(r"\| 0.25 .*\|", finish(tiny("--epochs=1", "--only=^0.2")))
    assert row[0].split("|")[-3].strip() == "1"


def test_workers_end_with_the_program_that_started_them(tiny):
    program = tiny("--epochs=1000", "--workers=2")
    for line in program.stdout:
        if "epoch 1/1000" in line:
            break
    program.send_signal(signal.SIGKILL)
    # The workers hold the other ends of the pipes.
    _, errors = program.communicate(timeout=30)
    assert errors.count("the program that started this worker has ended") == 2


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


def test_workers_share_the_grid(tiny, tmp_path):
    output = finish(tiny("--epochs=2", "--seeds=2", "--workers=2"))
    assert output.count(" done: top-1") == 4
    assert len(list((tmp_path / "runs" / "records").glob("*.json"))) == 4
    assert "|     2 |" in output


def test_dry_run_prints_costs_and_trains_nothing(tmp_path, capsys):
    config = Config(dry_run=True, workdir=str(tmp_path))
    program.main(width_multiplier.experiment, config)
    output = capsys.readouterr().out
    assert "| 0.25 MobileNet | 224 px |                41 |  41.03 |" in output
    assert not list(tmp_path.rglob("*.json"))


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_trains_without_tensorflow(tiny, tmp_path, backend):
    """Kill and resume included: the snapshot holds this backend's state as well."""
    pytest.importorskip(backend)
    environment = {"KERAS_BACKEND": backend, "WITHOUT_TENSORFLOW": "1"}
    flags = ("--epochs=3", "--recipe=short")
    whole = finish(tiny(*flags, workdir="whole", **environment))
    assert whole.count(" done: top-1") == 2
    killed = tiny(*flags, workdir="killed", **environment)
    for line in killed.stdout:
        if "epoch 1/3" in line:
            break
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    finish(tiny(*flags, workdir="killed", **environment))
    one, two = trained(tmp_path / "whole"), trained(tmp_path / "killed")
    assert one["0.25"]["backend"] == backend
    for label, record in one.items():
        assert record["metrics"] == two[label]["metrics"]


BAD_FLAGS = [
    (["--recipe=best"], "value should be one of <compress|fine_tune|gentle|modern"),
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
    (["--workdir=/proc/nowhere"], "--workdir must be a directory that can be written"),
]


@pytest.mark.parametrize(("given", "message"), BAD_FLAGS)
def test_bad_flags(given, message, stripes_file, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    if "dry_run" not in FLAGS:
        flags.define()
    for name in FLAGS:
        FLAGS[name].unparse()
    command = ["tiny", "--dataset=stripes", f"--arrays={stripes_file}"]
    with pytest.raises((SystemExit, IllegalFlagValueError)) as error:
        program.execute(tiny_experiment.experiment, FLAGS([*command, *given]))
    assert message in str(error.value)
    assert "epoch " not in capsys.readouterr().out


def test_errors_of_the_library_speak_of_flags():
    for library, command_line in (
        ("pass to_rgb=True", "pass --to_rgb"),
        ("choose one with image_key=", "choose one with --image_key="),
        ("evaluation_split must be a", "--eval_split must be a"),
        ("side must be at least 32", "side must be at least 32"),
        ("name must be a TFDS data set", "--dataset must be a TFDS data set"),
        ("the file holds name 'a'", "the file holds name 'a'"),
    ):
        assert flags.in_terms_of_flags(library) == command_line


def test_error_before_any_training(tiny):
    """In a process of its own: one line, exit code 1."""
    process = tiny("--only=^7")
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "tiny: error: --only must match one of 0.5, 0.25; got '^7'" in errors
    assert "Traceback" not in errors and "epoch" not in output


def test_side_too_small_is_an_error_before_any_training(stripes_file, tmp_path):
    config = Config(
        dataset="stripes", arrays=str(stripes_file), workdir=str(tmp_path / "runs")
    )
    with pytest.raises(ValueError, match="rho must give a side of at least 32 pixels"):
        program.main(resolution_multiplier.experiment, config)
    assert not list(tmp_path.rglob("*.json"))


def test_one_trial_however_it_is_written():
    build = mobilenet_tf.build
    keys = {
        Network("a", build).key,
        Network("b", build, {"alpha": 1}).key,
        Network("c", build, {"alpha": 1.0, "rho": 1.0}).key,
        Network("d", functools.partial(build, 1.0)).key,
    }
    assert len(keys) == 1
    assert Network("e", build, {"alpha": 0.5}).key not in keys
    assert Network("f", build, weights=Path("w.h5")).key not in keys
    assert Network("g", build, {"alpha": 0.5}).slug == "build-alpha0.5"


def test_live_display_shows_one_bar_for_the_grid(tmp_path):
    trial = Trial(
        tiny_experiment.experiment.rows[0].network,
        RECIPES["short"],
        {
            "name": "stripes",
            "class_names": ["a", "b"],
            "base_resolution": 32,
            "train_size": 96,
        },
        0,
        "float32",
    )
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


def test_events_pass_through_a_pipe():
    event = Event("key", 2, 0.5, loss=0.25)
    assert Event.from_line(event.to_line()) == event
    assert Event.from_line("data: stripes") is None
