"""Trials that depend on other trials: compressed networks, and students."""

import pytest

import mobilenet_tf
from experiments.harness import Network, Row, Step, Teacher, grid
from experiments.harness.workdir import Workdir
from experiments.report import sizes
from experiments.trials import records
from experiments.trials.trial import Trial
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
def point(stripes):
    return lambda network, seed=0: Trial(network, QUICK, stripes.facts, seed, "float32")


def test_what_a_point_is_made_from(point):
    assert point(BASE).parent is None
    assert point(TWO).parent.key == point(ONE).key
    assert point(ONE, seed=3).parent.key == point(BASE, seed=3).key
    # All students of a network learn from the same one.
    assert point(STUDENT, seed=3).parent.key == point(BASE).key
    keys = {point(network).key for network in (BASE, ONE, TWO, STUDENT)}
    assert len(keys) == 4


def test_order_puts_first_what_others_are_made_from(point):
    found = grid.in_order([point(TWO), point(STUDENT), point(TWO)])
    names = [one.network.steps and len(one.network.steps) for one in found]
    assert len(found) == 4
    assert found[0].key == point(BASE).key
    assert names.index(1) < names.index(2)


def test_points_are_called_as_in_their_own_rows(point):
    found = grid.in_order([point(TWO), point(ONE), point(BASE)])
    assert [one.network.label for one in found] == ["base", "one", "two"]


def test_chain_is_trained_once_and_recorded(point, stripes, tmp_path):
    pytest.importorskip("tensorflow_model_optimization")
    pytest.importorskip("constriction")
    workdir = Workdir(tmp_path)
    lines = []
    points = [point(TWO), point(STUDENT)]
    grid.run(points, stripes, workdir, "test", report=lines.append)
    assert len(records.read(tmp_path / "records")) == 4
    assert all(workdir.done(one) for one in grid.in_order(points))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    grid.run(points, stripes, workdir, "test", report=lines.append)
    assert before == {path: path.stat().st_mtime_ns for path in before}

    results = records.read(tmp_path / "records")
    two = next(one for one in results if len(one["network"].get("steps", ())) == 2)
    assert two["network"]["steps"][1]["arguments"] == {"clusters": 8}
    assert two["network"]["steps"][1]["recipe"] == QUICK.facts
    assert len(two["history"]) == 1 and two["seconds"] > 0
    table = sizes.compressed([Row(BASE), Row(ONE), Row(TWO)], results)
    ratios = [float(line.split("|")[4]) for line in table.splitlines()[2:]]
    assert ratios[0] == 1.0
    assert ratios[2] > ratios[1] > 2


def test_lost_network_is_trained_again_only_where_it_is_needed(
    point, stripes, tmp_path
):
    base, student = point(BASE), point(STUDENT)
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
