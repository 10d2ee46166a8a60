"""One network trained by several processes: what one process gives, and resumed.

In `make test-jax`: each run takes seconds to compile.
"""

import json
import signal
import time

import numpy as np
import pytest
import runs

from experiments.trials import bitmap

pytest_plugins = (runs.__name__,)
pytestmark = pytest.mark.jax
EPOCHS = 12


@pytest.fixture
def start_host(start):
    """Starts the tiny experiment as one of `count` processes that train together."""

    def start_one(index, count, port, folder, *flags):
        if count > 1:
            names = ",".join([f"127.0.0.1:{port}", *["127.0.0.1"] * (count - 1)])
            flags = (*flags, f"--hosts={names}", f"--host_index={index}")
        return start(
            "--only=^0.25",
            f"--epochs={EPOCHS}",
            *flags,
            workdir=folder,
            KERAS_BACKEND="jax",
            WITHOUT_TENSORFLOW="1",
        )

    return start_one


def finish(processes):
    """Wait for all; returns what the first one has printed."""
    outputs = [process.communicate(timeout=900) for process in processes]
    for process, (_, errors) in zip(processes, outputs, strict=True):
        assert process.returncode == 0, errors
    return outputs[0][0]


def record_of(folder):
    (path,) = folder.glob("records/*.json")
    return json.loads(path.read_text())


@pytest.fixture
def alone(start_host, tmp_path):
    """The record of one process."""
    finish([start_host(0, 1, None, tmp_path / "alone")])
    return record_of(tmp_path / "alone")


def assert_same_training(record, expected):
    for name in ("loss", "top1"):
        np.testing.assert_allclose(
            [epoch[name] for epoch in record["history"]],
            [epoch[name] for epoch in expected["history"]],
            rtol=1e-3,
            atol=1e-3,
        )
    assert record["metrics"]["loss"] == pytest.approx(
        expected["metrics"]["loss"], rel=1e-2
    )
    correct, others = (
        bitmap.decode(record["correct"]),
        bitmap.decode(expected["correct"]),
    )
    assert (correct == others).mean() > 0.95


def test_two_processes_train_as_one_and_resume(alone, start_host, port, tmp_path):
    folders = [tmp_path / "first", tmp_path / "second"]  # they share no disk
    first, second = (start_host(index, 2, port, folders[index]) for index in (0, 1))
    for line in first.stdout:
        if f"epoch 2/{EPOCHS}" in line:
            break
    second.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    _, errors = first.communicate(timeout=120)
    assert time.monotonic() - killed < 60
    assert first.returncode == 1
    message = "host 1 (127.0.0.1) has ended or cannot be reached; the same command"
    assert message in errors.splitlines()[-1]
    assert not list((tmp_path / "first" / "records").iterdir())

    output = finish([start_host(index, 2, port, folders[index]) for index in (0, 1)])
    assert f"epoch 1/{EPOCHS}" not in output and f"epoch {EPOCHS}/{EPOCHS}" in output
    record = record_of(tmp_path / "first")
    assert (record["processes"], record["devices"]) == (2, 2)
    assert not list((tmp_path / "second" / "records").iterdir())
    assert_same_training(record, alone)
    assert "processes" not in alone


@pytest.mark.thorough
def test_four_processes(alone, start_host, port, tmp_path):
    finish([start_host(index, 4, port, tmp_path / str(index)) for index in range(4)])
    record = record_of(tmp_path / "0")
    assert (record["processes"], record["devices"]) == (4, 4)
    assert_same_training(record, alone)


def test_bad_input_is_one_error_before_any_training(start_host, port, tmp_path):
    """On both hosts, each with its own reason."""
    cases = (
        (
            ["--batch_size=33"],
            ["--batch_size=33"],
            "--batch_size must be a multiple of 2",
        ),
        ([], ["--arrays=none.npz"], "host 1 (127.0.0.1) has failed: "),
    )
    for first, second, message in cases:
        pair = [
            start_host(index, 2, port, tmp_path / str(index), *flags)
            for index, flags in enumerate((first, second))
        ]
        outputs = [process.communicate(timeout=120) for process in pair]
        assert [process.returncode for process in pair] == [1, 1]
        assert message in outputs[0][1].splitlines()[-1]
        assert not any("epoch " in output for output, _ in outputs)
