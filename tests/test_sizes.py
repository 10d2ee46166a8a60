"""The table and the figure of compressed networks."""

from experiments.harness import Network, Row, Step
from experiments.report import sizes
from mobilenet_tf import build
from mobilenet_tf.compression import cluster
from mobilenet_tf.training.recipes import COMPRESS

BASE = Network("base", build, {"alpha": 0.25, "rho": 1.0})
SHARED = Network(
    "shared", BASE.build, BASE.arguments, steps=(Step(cluster, {}, COMPRESS),)
)


def record(network, seed, top1, **metrics):
    return {
        "network_key": network.key,
        "seed": seed,
        "data": {"class_names": ["a", "b"], "base_resolution": 64},
        "metrics": {"top1": top1, **metrics},
    }


def test_accuracy_before_is_of_the_seeds_that_were_compressed():
    results = [record(BASE, seed, top1) for seed, top1 in enumerate((0.7, 0.8, 0.9))]
    results += [record(SHARED, 1, 0.75, size_bytes=100_000)]
    lines = sizes.compressed([Row(BASE), Row(SHARED)], results).splitlines()
    base, shared = ([cell.strip() for cell in one.split("|")[5:]] for one in lines[2:])
    assert base[:4] == ["80.0", "80.0", "10.0", "3"]
    assert shared[:4] == ["80.0", "75.0", "–", "1"]
    results.append(record(SHARED, 2, 0.85, size_bytes=100_000))
    line = sizes.compressed([Row(BASE), Row(SHARED)], results).splitlines()[3]
    assert [cell.strip() for cell in line.split("|")[5:7]] == ["85.0", "80.0"]


def test_pareto_front():
    """The second is larger than the first and no better; equal ones both stay."""
    points = [(1, 0.5), (2, 0.5), (2, 0.7), (2, 0.6), (3, 0.9), (3, 0.9), (4, 0.8)]
    assert sizes.pareto_front(points) == [(1, 0.5), (2, 0.7), (3, 0.9), (3, 0.9)]
    assert sizes.pareto_front([]) == []
