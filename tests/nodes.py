"""A Ray cluster of several nodes, which are processes of this machine."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import psutil
import pytest
import runs
from conftest import import_path

from experiments.sweep.environment import LOCAL_ENVIRONMENT

EPOCHS = 30
FLAGS = (f"--epochs={EPOCHS}",)


class Nodes:
    """A Ray cluster whose nodes are processes of this machine.

    Args:
        folder: A short path.
        patch: Sets the environment of all processes.
    """

    def __init__(self, folder, patch):
        (folder / "ray").mkdir()
        environment = {
            **LOCAL_ENVIRONMENT,
            "RAY_AUTH_MODE": "disabled",
            "RAY_TMPDIR": str(folder),
            # Nodes that are silent for some seconds are thought dead.
            "RAY_health_check_period_ms": "1000",
            "RAY_health_check_timeout_ms": "4000",
            "RAY_health_check_failure_threshold": "3",
        }
        for name, value in environment.items():
            patch.setenv(name, value)
        self.start()

    def start(self):
        """Start the head, which trains nothing; the driver keeps its files there."""
        from ray.cluster_utils import Cluster

        self.cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 0, "num_gpus": 0}
        )
        self.flag = f"--cluster={self.cluster.address}"

    def add(self, **environment):
        """Add a node that trains one network at a time."""
        return self.cluster.add_node(num_cpus=1, env_vars=environment)

    def remove(self, *nodes):
        """Take nodes away as a power cut does."""
        for node in nodes:
            self.cluster.remove_node(node, allow_graceful=False)

    def training(self, node=None):
        """The processes that train, of all nodes or one."""
        root = psutil.Process() if node is None else raylet(node)
        return [
            process
            for process in root.children(recursive=True)
            if process.name().startswith("ray::run")
        ]


def raylet(node):
    """The process that manages a node."""
    (info,) = node.all_processes["raylet"]
    return psutil.Process(info.process.pid)


@pytest.fixture(scope="module")
def nodes():
    # A socket's path is short.
    with (
        tempfile.TemporaryDirectory(prefix="drill", dir="/tmp") as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        started = Nodes(Path(folder), patch)
        yield started
        started.cluster.shutdown()


@pytest.fixture
def two(nodes):
    """Two nodes that train."""
    added = [nodes.add(), nodes.add()]
    yield added
    nodes.remove(*(set(added) & nodes.cluster.worker_nodes))


@pytest.fixture(scope="module")
def undisturbed(nodes, stripes_file, tmp_path_factory):
    """The weights of a run in which nothing fails; by the same command on a node."""
    folder = tmp_path_factory.mktemp("undisturbed")
    node = nodes.add()
    command = [sys.executable, "-m", "tiny_experiment", "--dataset=stripes", *FLAGS]
    command += [f"--arrays={stripes_file}", "--workdir=runs", "--recipe=short"]
    paths = import_path(runs.ROOT, runs.ROOT / "tests")
    subprocess.run(
        [*command, nodes.flag],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths},
        check=True,
        capture_output=True,
    )
    nodes.remove(node)
    return runs.weights(folder / "runs")


@pytest.fixture
def whole(undisturbed, tmp_path):
    """Checks that a run ended as if nothing had failed."""

    def check(folder="runs"):
        assert len(list((tmp_path / folder / "records").iterdir())) == 2
        left = {path.suffix for path in (tmp_path / folder / "trials").iterdir()}
        assert left == {".keras"}
        pairs = zip(undisturbed, runs.weights(tmp_path / folder), strict=True)
        assert all(np.array_equal(first, second) for first, second in pairs)

    return check
