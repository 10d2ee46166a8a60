"""Drills on a Ray cluster of several nodes, with real processes on this machine.

Whatever fails, each trial has one record in the end, and the weights of a run in which
nothing failed.
"""

import contextlib
import importlib.util
import os
import re
import signal
import subprocess
import sys

import nodes as ray_nodes
import psutil
import pytest
import runs
from nodes import EPOCHS, FLAGS, raylet
from runs import finish, wait_for

pytest_plugins = (runs.__name__, ray_nodes.__name__)
# Ray reads its environment when it is imported: that is left to the fixture.
pytestmark = pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="needs ray")


@pytest.mark.thorough
def test_killed():
    """The short form of the benchmark; in a process where nothing has imported Ray."""
    short = ("--kills=2", "--trials=2", "--epochs=12", "--workers=1", "--seed=1")
    command = [sys.executable, "-m", "benchmarks.faults", *short]
    printed = subprocess.run(
        command, cwd=runs.ROOT, check=True, capture_output=True, text=True
    ).stdout
    assert re.search(r"\| in all +\| +2 \|", printed)
    assert "undisturbed run bit for bit" in printed


@pytest.mark.thorough
def test_a_task_that_waits_for_the_storage_actor_keeps_its_core(nodes):
    """Else more trials would train than there are cores."""
    program = """
import sys, time, ray
from experiments.sweep.node import _answer

class StorageActor:
    running = most = 0

    def begin(self):
        self.running += 1
        self.most = max(self.most, self.running)
        time.sleep(1)

    def end(self):
        self.running -= 1
        return self.most

def train(actor):
    _answer(actor.begin.remote())
    return _answer(actor.end.remote())

ray.init(sys.argv[1], log_to_driver=False)
actor = ray.remote(StorageActor).options(num_cpus=0, max_concurrency=8).remote()
task = ray.remote(train).options(num_cpus=1)
print(max(ray.get([task.remote(actor) for _ in range(4)])))
"""
    node = nodes.add()
    command = [sys.executable, "-c", program, nodes.cluster.address]
    printed = subprocess.run(
        command, cwd=runs.ROOT, check=True, capture_output=True, text=True
    ).stdout
    assert printed.strip() == "1"
    nodes.remove(node)


@pytest.mark.thorough
def test_a_process_is_killed_in_an_epoch(nodes, two, start, whole):
    process = start(*FLAGS, nodes.flag)
    wait_for(process, f"epoch 3/{EPOCHS}")
    nodes.training()[0].kill()
    output = finish(process)
    assert output.count(" done: top-1") == 2
    whole()


@pytest.mark.thorough
def test_a_node_is_taken_away(nodes, two, start, whole):
    process = start(*FLAGS, nodes.flag)
    wait_for(process, f"epoch 3/{EPOCHS}")
    nodes.remove(next(node for node in two if nodes.training(node)))
    assert finish(process).count(" done: top-1") == 2
    whole()


@pytest.mark.thorough
def test_all_nodes_are_taken_away_and_one_comes_back(nodes, two, start, whole):
    process = start(*FLAGS, nodes.flag)
    wait_for(process, f"epoch 3/{EPOCHS}")
    nodes.remove(*two)
    wait_for(process, "waiting for a node with room for a trial: 1 CPU cores")
    two.append(nodes.add())
    finish(process)
    whole()


@pytest.mark.thorough
def test_the_driver_is_killed_and_started_again(nodes, two, start, whole):
    process = start(*FLAGS, nodes.flag)
    runs.kill_after(process, f"epoch 3/{EPOCHS}")
    process.communicate()
    output = finish(start(*FLAGS, nodes.flag))
    assert f"epoch {EPOCHS}/{EPOCHS}" in output
    assert output.count(f": epoch 1/{EPOCHS}") < 2
    whole()


@pytest.mark.thorough
def test_the_head_is_restarted(nodes, two, start, whole):
    process = start(*FLAGS, nodes.flag)
    wait_for(process, f"epoch 3/{EPOCHS}")
    nodes.cluster.shutdown()
    process.communicate(timeout=120)
    assert process.returncode != 0
    nodes.start()
    two[:] = [nodes.add()]
    finish(start(*FLAGS, nodes.flag))
    whole()


@pytest.mark.thorough
def test_the_head_is_lost(nodes, two, start, whole):
    """The driver says so; Ray would end it after a minute without a word."""
    process = start(*FLAGS, nodes.flag)
    wait_for(process, f"epoch 3/{EPOCHS}")
    nodes.cluster.head_node.kill_gcs_server()
    _, errors = process.communicate(timeout=50)
    assert process.returncode != 0
    assert "the head of the Ray cluster at 127.0.0.1:" in errors
    nodes.cluster.shutdown()
    nodes.start()
    two[:] = [nodes.add()]
    finish(start(*FLAGS, nodes.flag))
    whole()


@pytest.mark.thorough
def test_a_slow_node(nodes, two, start, whole):
    """It stops for so long that it is thought dead, then goes on."""
    process = start(*FLAGS, nodes.flag)
    wait_for(process, f"epoch 3/{EPOCHS}")
    slow = next(node for node in two if nodes.training(node))
    stopped = [raylet(slow), *nodes.training(slow)]
    for one in stopped:
        one.send_signal(signal.SIGSTOP)
    wait_for(process, " done: top-1")
    for one in stopped:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.send_signal(signal.SIGCONT)
    finish(process)
    whole()


@pytest.mark.thorough
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file system needs root")
def test_a_full_disk_on_a_node(nodes, start, whole, tmp_path):
    full = tmp_path / "full"
    full.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", full]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    added = [nodes.add(TMPDIR=str(full))]
    try:
        process = start(*FLAGS, nodes.flag)
        _, errors = process.communicate(timeout=300)
        reason = f"127.0.0.1: the disk is full: {full}"
        assert f"error: no node is left that can train: {reason}" in errors
        assert not list(full.iterdir())
        added.append(nodes.add())
        output = finish(start(*FLAGS, nodes.flag))
        assert output.count(reason) == 1
        whole()
    finally:
        nodes.remove(*added)
        subprocess.run(["umount", full], check=True)
