"""The harness trains, is killed and resumes, shares its work, and writes records."""

import functools
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import runs
import tiny_experiment
from conftest import ROOT
from runs import finish, kill_after, records, wait_for, weights

import mobilenet_tf
from experiments.harness import Config, Network, program
from experiments.sweep.workdir import Workdir
from experiments.trials import bitmap
from mobilenet_tf.files import checked_json
from mobilenet_tf.processor import usable_cores

pytest_plugins = (runs.__name__,)  # the fixture `start`

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


def test_kill_and_resume(whole, start, run_here, tmp_path):
    """Of the second network: the first is there already, and is not trained again."""
    shutil.copytree(whole, tmp_path / "runs")
    for file in (tmp_path / "runs").glob("*/*alpha0.25*"):
        file.unlink()
    process = start(f"--epochs={EPOCHS}")
    kill_after(process, f"epoch 2/{EPOCHS}")
    process.communicate()
    assert set(records(tmp_path / "runs")) == {"0.5"}
    resumed = run_here(epochs=EPOCHS)
    assert f"epoch 1/{EPOCHS}" not in resumed  # the unfinished trial is resumed
    assert f"epoch {EPOCHS}/{EPOCHS}" in resumed
    assert set(records(tmp_path / "runs")) == {"0.5", "0.25"}
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


def test_one_command_at_a_time(run_here, tmp_path):
    with (
        Workdir(tmp_path / "runs").locked(),
        pytest.raises(BlockingIOError, match="workdir must be used by one command"),
    ):
        run_here(epochs=1)
    assert not records(tmp_path / "runs")


@pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="needs ray")
def test_several_at_a_time(start, whole, tmp_path):
    """With Ray on this machine; its command is killed and given again."""
    # As many threads for each network as in this process.
    threads = int(os.environ.get("TF_NUM_INTRAOP_THREADS", usable_cores()))
    workers = usable_cores() // threads
    flags = (f"--epochs={EPOCHS}", "--cluster=local", f"--workers={workers}")
    process = start(*flags)
    wait_for(process, f"epoch 2/{EPOCHS}")
    children = psutil.Process(process.pid).children(recursive=True)
    listening = {
        connection.laddr.ip.removeprefix("::ffff:")
        for child in children
        for connection in child.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}
    # Ray's agents outlive it by a minute, in which they try to report its end.
    working = [child for child in children if not child.name().endswith("Agent")]
    assert len(working) > workers
    process.kill()
    killed = time.time()
    assert not psutil.wait_procs(working, timeout=60)[1]
    # Its processes go on for seconds, but write nothing any more.
    files = [path for path in (tmp_path / "runs").rglob("*") if path.is_file()]
    assert max(path.stat().st_mtime for path in files) < killed + 1
    before = len(records(tmp_path / "runs"))  # one may have been done by then
    resumed = finish(start(*flags))
    assert resumed.count(" done: top-1") == 2 - before
    assert resumed.count(f": epoch 1/{EPOCHS}") < 2  # at least one goes on
    assert not list((tmp_path / "runs" / "trials").glob("*.npz"))
    assert len(records(tmp_path / "runs")) == 2
    pairs = zip(weights(whole), weights(tmp_path / "runs"), strict=True)
    assert all(np.array_equal(first, second) for first, second in pairs)


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


def test_error_before_any_training(tmp_path):
    """One line, without TensorFlow's notes of its start; exit code 1."""
    as_a_user = {**os.environ, "PYTHONPATH": str(ROOT)}
    as_a_user.pop("TF_CPP_MIN_LOG_LEVEL", None)  # of these tests
    done = subprocess.run(
        [sys.executable, "-m", "experiments.bypass", "--only=^7"],
        cwd=tmp_path,
        env=as_a_user,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    start, end = "bypass: error: --only must match one of ", "; got '^7'\n"
    assert done.stderr.startswith(start) and done.stderr.endswith(end)
    assert done.stderr.count("\n") == 1 and "epoch" not in done.stdout
    assert not list(tmp_path.iterdir())


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
