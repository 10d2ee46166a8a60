"""What the other processes of a training say when one is lost."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from conftest import ROOT, import_path

pytest.importorskip("jax")
pytest.importorskip("psutil")


@pytest.fixture
def together(port):
    """Runs both processes in a mode; returns their exit codes, output and errors."""
    started = []

    def run(mode):
        environment = {
            **os.environ,
            "KERAS_BACKEND": "jax",
            "PYTHONPATH": import_path(ROOT, ROOT / "tests"),
        }
        for index in (0, 1):
            command = [sys.executable, "-m", "host_process", str(port), str(index)]
            started.append(
                subprocess.Popen(
                    [*command, mode],
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
        first, second = started
        said = first.stdout.readline()  # both are connected
        connected = time.monotonic()
        outputs = [(said, first.communicate(timeout=120)[1])]
        assert time.monotonic() - connected < 60
        if mode == "SIGSTOP":
            second.kill()
        outputs.append(second.communicate(timeout=120))
        return [
            (process.returncode, *texts)
            for process, texts in zip(started, outputs, strict=True)
        ]

    yield run
    for process in started:
        process.kill()


def one_line(errors):
    return [line for line in errors.splitlines() if line.strip()]


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("SIGKILL", "host 1 (127.0.0.1) has ended or cannot be reached"),
        pytest.param(
            "SIGSTOP",
            "host 1 (127.0.0.1) has ended or cannot be reached",
            marks=pytest.mark.thorough,
        ),
        pytest.param(
            "fails",
            "host 1 (127.0.0.1) has failed: the disk is full",
            marks=pytest.mark.thorough,
        ),
        pytest.param(
            "differs",
            "all hosts must have the same flags: host 1 (127.0.0.1) has --epochs 1",
            marks=pytest.mark.thorough,
        ),
    ],
)
def test_one_error_ends_all(together, mode, message):
    (code, output, errors), (other, _, others_errors) = together(mode)
    assert code == 1 and other != 0
    gathered, listening = json.loads(output)
    assert gathered == [0, 1] and listening == ["127.0.0.1"]
    (line,) = one_line(errors)
    assert message in line
    if mode == "fails":
        assert one_line(others_errors) == ["error: the disk is full"]
    if mode == "SIGKILL":
        assert other == -signal.SIGKILL


@pytest.mark.thorough
def test_other_numbers_of_devices(together):
    """An error on both, before one waits for the devices of the other."""
    (code, output, errors), (other, *_) = together("devices")
    assert code == other == 1 and not output
    (line,) = one_line(errors)
    assert line == (
        "error: all hosts must have the same devices: host 1 (127.0.0.1) has devices "
        "2, host 0 (127.0.0.1) has 1; a host must not run more processes than it has "
        "devices"
    )


@pytest.mark.thorough
def test_the_first_host_is_lost_while_another_computes(together):
    """The service lives on until the other has noticed: JAX would abort it."""
    (code, *_), (other, _, errors) = together("first lost")
    assert code == -signal.SIGKILL and other == 1
    (line,) = one_line(errors)
    assert "host 0 (127.0.0.1) has ended or cannot be reached" in line
