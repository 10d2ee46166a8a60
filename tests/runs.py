"""The tiny experiment as a process of its own, and what it leaves."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
import tiny_experiment
from conftest import ROOT, import_path

from experiments.harness import Config, program
from mobilenet_tf.files import checked_json

# Of three steps each: many more than pass before a signal arrives.
EPOCHS = 20


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


@pytest.fixture(scope="session")
def finished_runs(stripes_file, tmp_path_factory):
    """The working directory of a finished run of two networks."""
    folder = tmp_path_factory.mktemp("whole")
    config = configuration(stripes_file, folder, epochs=EPOCHS)
    program.main(tiny_experiment.experiment, config)
    return folder / "runs"


@pytest.fixture(scope="session")
def killed_runs(finished_runs, stripes_file, tmp_path_factory):
    """The same of a command that was killed while it trained its second network.

    The first network is there already, and is not trained again.
    """
    folder = tmp_path_factory.mktemp("killed")
    shutil.copytree(finished_runs, folder / "runs")
    for file in (folder / "runs").glob("*/*alpha0.25*"):
        file.unlink()
    with starting(folder, stripes_file) as start:
        process = start(f"--epochs={EPOCHS}")
        kill_after(process, f"epoch 2/{EPOCHS}")
        process.communicate()
    assert set(records(folder / "runs")) == {"0.5"}
    return folder / "runs"


@pytest.fixture
def start(tmp_path, stripes_file):
    """Start the tiny experiment as a process of its own."""
    with starting(tmp_path, stripes_file) as start_process:
        yield start_process


@contextlib.contextmanager
def starting(folder, stripes_file):
    """A function that starts it in a folder, on the stripes; ends what it started."""
    started = []

    stripes = ("--dataset=stripes", f"--arrays={stripes_file}")

    def start_process(*flags, data=stripes, workdir="runs", **environment):
        command = [sys.executable, "-m", "tiny_experiment", *data, "--recipe=short"]
        command += [f"--workdir={workdir}", *flags]
        paths = import_path(ROOT, ROOT / "tests")
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": paths, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    try:
        yield start_process
    finally:
        for process in started:
            process.kill()  # what a failed test has left


def finish(process):
    """Wait for a process; returns what it prints."""
    output, errors = process.communicate(timeout=600)
    assert process.returncode == 0, f"exit code {process.returncode}\n{errors}"
    return output


def wait_for(process, text):
    """Read a process's output to the first line with this text."""
    for line in process.stdout:
        if text in line:
            return
    _, errors = process.communicate()
    raise AssertionError(
        f"exit code {process.returncode}, and no line with {text!r}\n{errors}"
    )


def kill_after(process, text):
    """Kill a process as soon as it prints a line with this text."""
    wait_for(process, text)
    process.send_signal(signal.SIGKILL)


def records(folder):
    """The records of a working directory by their labels."""
    paths = folder.glob("records/*.json")
    read = [checked_json.loads(path.read_text()) for path in paths]
    return {record["label"]: record for record in read}


def weights(folder):
    """All weights in a working directory, model by model."""
    files = sorted((folder / "trials").glob("*.keras"))
    models = [keras.models.load_model(file) for file in files]
    return [weight for model in models for weight in model.get_weights()]


def assert_whole(folder, whole):
    """All is trained, bit for bit as without an interruption, and nothing is left."""
    assert not list((folder / "trials").glob("*.npz"))
    assert set(records(folder)) == {"0.5", "0.25"}
    pairs = zip(weights(whole), weights(folder), strict=True)
    assert all(np.array_equal(first, second) for first, second in pairs)
