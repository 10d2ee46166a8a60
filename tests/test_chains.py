"""Trials that depend on other trials: compressed networks, and students."""

import sys

import pytest

import mobilenet_tf
from experiments.harness import Network, Row, Step, Teacher
from experiments.report import sizes
from experiments.sweep import grid
from experiments.sweep.workdir import Workdir
from experiments.trials import records
from experiments.trials.trial import Trial
from mobilenet_tf import compression
from mobilenet_tf.compression import cluster
from mobilenet_tf.training.recipe import Recipe

QUICK = Recipe(
    name="quick",
    optimizer="sgd",
    learning_rate=0.05,
    schedule="cosine",
    epochs=1,
    batch_size=32,
    bn_momentum=0.9,
)


def tiny(**arguments):
    return mobilenet_tf.build(**arguments, blocks=((64, 2), (128, 2)), dropout=0)


SIXTEEN, EIGHT = (Step(cluster, {"clusters": number}, QUICK) for number in (16, 8))
BASE = Network("base", tiny, {"alpha": 0.25})
ONE = Network("one", tiny, {"alpha": 0.25}, steps=(SIXTEEN,))
TWO = Network("two", tiny, {"alpha": 0.25}, steps=(SIXTEEN, EIGHT))
STUDENT = Network("student", tiny, {"alpha": 0.5}, teacher=Teacher(BASE))


@pytest.fixture
def trial_of(stripes):
    return lambda network, seed=0: Trial(
        network, QUICK, stripes.metadata.to_json(), seed, "float32"
    )


def test_the_parent_of_a_trial(trial_of):
    assert trial_of(BASE).parent is None
    assert trial_of(TWO).parent.key == trial_of(ONE).key
    assert trial_of(ONE, seed=3).parent.key == trial_of(BASE, seed=3).key
    # All students of a network learn from the same one.
    assert trial_of(STUDENT, seed=3).parent.key == trial_of(BASE).key
    keys = {trial_of(network).key for network in (BASE, ONE, TWO, STUDENT)}
    assert len(keys) == 4


def test_parents_come_first(trial_of):
    trials = grid.in_order([trial_of(TWO), trial_of(STUDENT), trial_of(TWO)])
    steps = [len(trial.network.steps) for trial in trials]
    assert len(trials) == 4
    assert trials[0].key == trial_of(BASE).key
    assert steps.index(1) < steps.index(2)


@pytest.mark.parametrize("missing", ["codec", "compression.tfmot"])
def test_missing_packages_of_a_step_are_an_error_before_training(missing, monkeypatch):
    for package in ("tensorflow_model_optimization", "constriction"):
        pytest.importorskip(package)
    ONE.check(2, 36)
    monkeypatch.setitem(sys.modules, f"mobilenet_tf.{missing}", None)
    monkeypatch.delattr(compression, "tfmot", raising=False)
    with pytest.raises(ImportError, match=missing):
        ONE.check(2, 36)
    BASE.check(2, 36)


def test_labels_are_those_of_their_own_rows(trial_of):
    trials = grid.in_order([trial_of(TWO), trial_of(ONE), trial_of(BASE)])
    assert [trial.network.label for trial in trials] == ["base", "one", "two"]


def test_chain_is_trained_once_and_recorded(trial_of, stripes, tmp_path, eagerly):
    pytest.importorskip("tensorflow_model_optimization")
    pytest.importorskip("constriction")
    workdir = Workdir(tmp_path)
    lines = []
    trials = [trial_of(TWO), trial_of(STUDENT)]
    grid.run(trials, stripes, workdir, "test", report=lines.append)
    assert len(records.read(tmp_path / "records")) == 4
    assert all(map(workdir.done, grid.in_order(trials)))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    grid.run(trials, stripes, workdir, "test", report=lines.append)
    assert before == {path: path.stat().st_mtime_ns for path in before}

    results = records.read(tmp_path / "records")
    (two,) = (r for r in results if len(r["network"].get("steps", ())) == 2)
    defaults = {"depthwise": True, "skip": []}
    assert two["network"]["steps"][1]["arguments"] == {"clusters": 8, **defaults}
    assert two["network"]["steps"][1]["recipe"] == QUICK.to_json()
    assert len(two["history"]) == 1 and two["seconds"] > 0
    table = sizes.compressed([Row(BASE), Row(ONE), Row(TWO)], results)
    ratios = [float(line.split("|")[4]) for line in table.splitlines()[2:]]
    assert ratios[0] == 1.0
    assert ratios[2] > ratios[1] > 2


def test_lost_network_is_trained_again_only_where_it_is_needed(
    trial_of, stripes, tmp_path, eagerly
):
    base, student = trial_of(BASE), trial_of(STUDENT)
    workdir = Workdir(tmp_path)
    grid.run([base], stripes, workdir, "test", report=print)
    workdir.model_path(base).unlink()
    assert grid.missing([base], workdir) == []
    assert grid.missing([base, student], workdir) == [base, student]
    events = []
    grid.run([base, student], stripes, workdir, "test", report=events.append)
    assert workdir.usable(base) and workdir.usable(student)
    assert [(event.trial, event.done) for event in events] == [
        (base.key, False),
        (base.key, True),
        (student.key, False),
        (student.key, True),
    ]
