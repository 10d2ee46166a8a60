"""The harness trains, is killed and resumes, shares its work, and writes records."""

import functools
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tiny_experiment
from conftest import ROOT

import mobilenet_tf
from experiments.harness import Config, Network, program
from experiments.trials import bitmap
from mobilenet_tf.files import checked_json

# Of three steps each: many more than pass before a signal arrives.
EPOCHS = 40


def configuration(arrays, folder, **more):
    """Of the recipe whose images have one side: each side takes seconds to compile."""
    return Config(
        dataset="stripes",
        arrays=str(arrays),
        workdir=str(folder / "runs"),
        results=str(folder / "committed"),
        recipe="short",
        **more,
    )


@pytest.fixture(scope="module")
def whole(stripes_file, tmp_path_factory):
    """The working directory of a finished run of two networks."""
    folder = tmp_path_factory.mktemp("whole")
    config = configuration(stripes_file, folder, epochs=EPOCHS)
    program.main(tiny_experiment.experiment, config)
    return folder / "runs"


@pytest.fixture
def run_here(stripes_file, tmp_path, capsys):
    """Run the tiny experiment in this process; returns what it prints."""

    def run(**options):
        config = configuration(stripes_file, tmp_path, **options)
        program.main(tiny_experiment.experiment, config)
        return capsys.readouterr().out

    return run


@pytest.fixture
def start(tmp_path, stripes_file):
    """Start the tiny experiment as a process of its own."""
    started = []

    def start_process(*flags, workdir="runs", **environment):
        command = [sys.executable, "-m", "tiny_experiment", "--dataset=stripes"]
        command += [f"--arrays={stripes_file}", f"--workdir={workdir}"]
        command += ["--recipe=short", *flags]
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

    yield start_process
    for process in started:
        process.kill()  # what a failed test has left


def finish(process):
    output, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    return output


def kill_after(process, text):
    """Kill a process as soon as it prints a line with this text."""
    for line in process.stdout:
        if text in line:
            break
    process.send_signal(signal.SIGKILL)


def records(folder):
    """The records of a working directory by their labels."""
    paths = folder.glob("records/*.json")
    read = [checked_json.loads(path.read_text()) for path in paths]
    return {record["label"]: record for record in read}


def weights(folder):
    files = sorted((folder / "trials").glob("*.keras"))
    models = [keras.models.load_model(file) for file in files]
    return [weight for model in models for weight in model.get_weights()]


def test_kill_and_resume(whole, start, run_here, tmp_path):
    process = start(f"--epochs={EPOCHS}")
    kill_after(process, f"epoch 2/{EPOCHS}")
    process.communicate()
    resumed = run_here(epochs=EPOCHS)
    epochs = [line for line in resumed.splitlines() if "epoch " in line]
    assert f"epoch 1/{EPOCHS}" not in epochs[0]  # the unfinished trial is resumed
    pairs = zip(weights(whole), weights(tmp_path / "runs"), strict=True)
    assert all(np.array_equal(first, second) for first, second in pairs)
    again = run_here(epochs=EPOCHS)
    assert "epoch " not in again  # no finished trial is repeated
    assert not list((tmp_path / "runs" / "trials").glob("*.npz"))
    tables = [text[text.index("**Tiny**") :] for text in (resumed, again)]
    assert tables[0].splitlines()[:6] == tables[1].splitlines()[:6]


def test_record_is_complete(whole):
    record = records(whole)["0.25"]
    assert record["experiment"] == "tiny"
    assert record["network"]["arguments"] == {"alpha": 0.25}
    assert record["precision"] in ("float32", "pointwise_bfloat16")  # of auto
    assert record["kernels"] in ("onednn", "eigen")
    assert record["recipe"]["name"] == "short"
    assert record["recipe"]["epochs"] == EPOCHS
    assert record["data"]["name"] == "stripes"
    assert record["data"]["evaluation_split"] == "validation"
    top1 = record["metrics"]["top1"]
    assert bitmap.decode(record["correct"]).mean() == pytest.approx(top1)
    assert record["cost"]["side"] == 32
    assert len(record["history"]) == EPOCHS
    assert record["seconds"] > 0
    assert {"commit", "dirty", "versions", "device", "backend", "seed"} <= set(record)


def test_only_trains_what_matches(run_here, tmp_path):
    output = run_here(epochs=1, only="^0.2")
    assert output.count("epoch ") == 1
    assert set(records(tmp_path / "runs")) == {"0.25"}


def test_records_of_another_split_are_no_seeds(whole, run_here, tmp_path):
    options = {"epochs": EPOCHS, "only": "^0.2"}
    shutil.copytree(whole, tmp_path / "runs")
    record = records(whole)["0.25"]
    other = tmp_path / "runs" / "records" / "other.json"
    record["key"] += "x"
    record["data"]["evaluation_split"] = "test"
    other.write_text(checked_json.dumps(record))
    with pytest.raises(
        ValueError, match="values of --eval_split: test, validation; choose one with"
    ):
        run_here(render=True, **options)
    run_here(render=True, eval_split="test", **options)
    record["data"]["evaluation_split"] = "validation"
    record["data"]["label_key"] = "coarse"
    other.write_text(checked_json.dumps(record))
    other.with_name("killed.json.partial").write_text("{")
    with pytest.raises(
        ValueError, match="values of --label_key: None, coarse; choose one with --label"
    ):
        run_here(render=True, **options)
    # Where the data is loaded, it is known which records are of it.
    row = re.search(r"\| 0.25 .*\|", run_here(**options))
    assert row[0].split("|")[-3].strip() == "1"


def test_workers_end_with_the_program_that_started_them(start):
    process = start("--epochs=1000", "--workers=2")
    kill_after(process, "epoch 1/1000")
    # The workers hold the other ends of the pipes.
    _, errors = process.communicate(timeout=60)
    assert errors.count("the program that started this worker has ended") == 2


def test_workers_share_the_grid(start, tmp_path):
    output = finish(start("--epochs=1", "--only=^0.25", "--seeds=3", "--workers=2"))
    assert output.count(" done: top-1") == 3
    assert len(list((tmp_path / "runs" / "records").glob("*.json"))) == 3
    assert "|     3 |" in output


@pytest.mark.parametrize(
    "backend",
    [
        pytest.param("jax", marks=pytest.mark.jax),
        pytest.param("torch", marks=pytest.mark.thorough),
    ],
)
def test_trains_without_tensorflow(start, tmp_path, backend):
    """Kill and resume included: the snapshot holds this backend's state as well."""
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"needs {backend}")
    environment = {"KERAS_BACKEND": backend, "WITHOUT_TENSORFLOW": "1"}
    flags = (f"--epochs={EPOCHS}", "--only=^0.25")
    whole = start(*flags, workdir="whole", **environment)
    assert finish(whole).count(" done: top-1") == 1
    killed = start(*flags, workdir="killed", **environment)
    kill_after(killed, f"epoch 1/{EPOCHS}")
    killed.communicate()
    resumed = finish(start(*flags, workdir="killed", **environment))
    assert f"epoch 1/{EPOCHS}" not in resumed
    (first,), (second,) = (
        records(tmp_path / name).values() for name in ("whole", "killed")
    )
    assert first["backend"] == backend
    assert first["metrics"] == second["metrics"]


def test_error_before_any_training(start):
    """In a process of its own: one line, exit code 1. JAX is imported sooner."""
    process = start("--only=^7", KERAS_BACKEND="jax", WITHOUT_TENSORFLOW="1")
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "tiny: error: --only must match one of 0.5, 0.25; got '^7'" in errors
    assert "Traceback" not in errors and "epoch" not in output


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
