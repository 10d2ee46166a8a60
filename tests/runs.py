"""The tiny experiment as a process of its own, and what it leaves."""

import os
import signal
import subprocess
import sys

import keras
import pytest
from conftest import ROOT

from mobilenet_tf.files import checked_json


@pytest.fixture
def start(tmp_path, stripes_file):
    """Start the tiny experiment as a process of its own."""
    started = []

    stripes = ("--dataset=stripes", f"--arrays={stripes_file}")

    def start_process(*flags, data=stripes, workdir="runs", **environment):
        command = [sys.executable, "-m", "tiny_experiment", *data, "--recipe=short"]
        command += [f"--workdir={workdir}", *flags]
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
