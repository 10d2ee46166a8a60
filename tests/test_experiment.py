"""The harness trains, is killed and resumes, shares its work, and writes records."""

import functools
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import runs
import tiny_experiment
from conftest import ROOT, import_path
from runs import EPOCHS, assert_whole, configuration, finish, kill_after, records

import mobilenet_tf
from experiments.harness import Network, program
from experiments.sweep.workdir import Workdir
from experiments.trials import bitmap
from mobilenet_tf.files import checked_json

pytest_plugins = (runs.__name__,)  # its fixtures


@pytest.fixture
def run_here(stripes_file, tmp_path, capsys):
    """Run the tiny experiment in this process; returns what it prints."""

    def run(**options):
        config = configuration(stripes_file, tmp_path, **options)
        program.main(tiny_experiment.experiment, config)
        return capsys.readouterr().out

    return run


def test_kill_and_resume(finished_runs, killed_runs, run_here, tmp_path):
    shutil.copytree(killed_runs, tmp_path / "runs")
    resumed = run_here(epochs=EPOCHS)
    assert f"epoch 1/{EPOCHS}" not in resumed  # the unfinished trial is resumed
    assert f"epoch {EPOCHS}/{EPOCHS}" in resumed
    assert_whole(tmp_path / "runs", finished_runs)
    again = run_here(epochs=EPOCHS)
    assert "epoch " not in again  # no finished trial is repeated
    tables = [text[text.index("**Tiny**") :] for text in (resumed, again)]
    assert tables[0].splitlines()[:6] == tables[1].splitlines()[:6]


def test_record_is_complete(finished_runs):
    record = records(finished_runs)["0.25"]
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


def test_records_of_another_split_are_no_seeds(finished_runs, run_here, tmp_path):
    options = {"epochs": EPOCHS, "only": "^0.2"}
    shutil.copytree(finished_runs, tmp_path / "runs")
    record = records(finished_runs)["0.25"]
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


def test_one_seed_is_judged_by_the_spread_of_committed_ones(
    finished_runs, run_here, tmp_path
):
    shutil.copytree(finished_runs, tmp_path / "runs")
    said = "of the seeds (whose spread is that of the committed records)"
    assert said not in run_here(epochs=EPOCHS)
    committed = tmp_path / "committed"
    committed.mkdir()
    for label, record in records(finished_runs).items():
        for seed, top1 in enumerate((0.2, 0.8)):
            key, metrics = f"{record['key']}{seed}", {**record["metrics"], "top1": top1}
            other = {**record, "key": key, "seed": seed, "metrics": metrics}
            (committed / f"{label}{seed}.json").write_text(checked_json.dumps(other))
    output = run_here(epochs=EPOCHS)
    assert said in output and "is inconclusive" in output


def test_one_command_at_a_time(run_here, tmp_path):
    with (
        Workdir(tmp_path / "runs").locked(),
        pytest.raises(BlockingIOError, match="workdir must be used by one command"),
    ):
        run_here(epochs=1)
    assert not records(tmp_path / "runs")


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
    as_a_user = {**os.environ, "PYTHONPATH": import_path(ROOT)}
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
