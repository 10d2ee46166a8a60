"""What a trial takes on a cluster, and clusters that do not answer; without Ray."""

import os
import socket
import subprocess
import sys

import pytest

from experiments.sweep import environment, session
from experiments.sweep.options import ClusterError, Needs, Options


def node(cpus, gpus=0):
    return {"CPU": float(cpus), "GPU": float(gpus), "memory": 8.0 * 2**30}


@pytest.mark.parametrize(
    ("given", "nodes", "expected"),
    [
        ({}, [node(8), node(4), node(0)], Needs(4)),
        ({"cpus": 2}, [node(8), node(4)], Needs(2)),
        ({}, [node(8), node(12, 1)], Needs(12, 1)),
        ({}, [node(8), node(12, 4)], Needs(3, 1)),
        ({"gpus": 0.5}, [node(8, 1)], Needs(4, 0.5)),
        ({"gpus": 0}, [node(8), node(12, 4)], Needs(8)),
    ],
)
def test_what_a_trial_takes(given, nodes, expected):
    assert session.needs_on(Options("head:6379", **given), nodes) == expected


def test_which_nodes_have_room():
    needs = Needs(4, 1, 2**30)
    assert needs.fit(node(4, 1)) and not needs.fit(node(3, 1))
    assert not needs.fit(node(4)) and not Needs(1, 0, 2**40).fit(node(4))
    assert str(needs) == "4 CPU cores, 1 GPUs, 1 GiB"


def test_what_ray_says_of_a_cluster_is_told(monkeypatch):
    def run(command, **options):
        said = b"Traceback\n  line\nAuthenticationError: the token is wrong\n"
        raise subprocess.CalledProcessError(1, command, stderr=said)

    monkeypatch.setattr(session.subprocess, "run", run)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(ClusterError, match=r"cannot be used: Auth.* the token is"):
            session.check_answer(address)


def test_a_server_that_is_silent(monkeypatch):
    def run(command, timeout, **options):
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(session.subprocess, "run", run)
    monkeypatch.setattr(session, "SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(ClusterError, match=f"answers at {address} within 1 second"):
            session.check_answer(address)


@pytest.mark.parametrize("gpus", [-1, 1.5])
def test_gpus_that_nothing_can_have(gpus):
    with pytest.raises(ValueError, match=rf"^trial_gpus must be .*, got {gpus:g}$"):
        Options("head:6379", gpus=gpus)


def test_a_trial_takes_no_more_of_a_gpu_than_it_may():
    def variables(gpus):
        return environment.of_trials(2, gpus)["env_vars"]

    assert variables(0)["CUDA_VISIBLE_DEVICES"] == ""
    assert variables(0.5)["XLA_PYTHON_CLIENT_MEM_FRACTION"] == "0.450"
    assert variables(0.5)["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    assert not {"CUDA_VISIBLE_DEVICES", "TF_FORCE_GPU_ALLOW_GROWTH"} & set(variables(1))
    assert variables(None)["OMP_NUM_THREADS"] == "2"


def test_a_local_ray_is_secured_whatever_the_environment_says(monkeypatch):
    variables = {
        "RAY_AUTH_MODE": "disabled",
        "RAY_AUTH_TOKEN": "known",
        "RAY_worker_niceness": "5",
    }
    monkeypatch.setattr(os, "environ", variables)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClusterError, match="Ray must not be imported before"):
        environment.secure()
    monkeypatch.delitem(sys.modules, "ray")
    environment.secure()
    assert variables["RAY_AUTH_MODE"] == "token"
    assert variables["RAY_AUTH_TOKEN"] != "known"
    assert variables["RAY_worker_niceness"] == "5"
