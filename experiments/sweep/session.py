"""Ray: a cluster of this machine for as long as a command, or an existing one."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from experiments.sweep import environment, head
from experiments.sweep.options import LOCAL, ClusterError, Needs, Options
from mobilenet_tf.packages import require
from mobilenet_tf.processor import usable_cores

SECONDS = 20  # for an answer of a cluster
_LOOPBACK = "127.0.0.1"


@contextlib.contextmanager
def connected(
    options: Options, workdir: Path, data_bytes: int, modules: Sequence[Path]
) -> Iterator[Needs]:
    """Start or join a cluster; yields what a trial takes.

    Args:
        options: Which cluster.
        workdir: One command at a time has a local cluster for it.
        data_bytes: Size of what is put into a local cluster's object store.
        modules: Packages and modules that are sent to the nodes of an existing cluster.

    Raises:
        ClusterError: The cluster does not answer, no node has room for a trial, or Ray
            was imported before a local one is to start.
        ImportError: Ray is not installed.
    """
    local = options.address == LOCAL
    if local:
        environment.secure()
    ray = _ray()
    if not local:
        try:
            needs = _checked(ray, _join(ray, options, modules))
            with head.watched(options.address):
                yield needs
        finally:
            ray.shutdown()
        return
    folder = _ray_folder(workdir)
    try:
        # Ray opens its own folder to everybody; the one around it stays closed.
        yield _checked(ray, _start(ray, options, data_bytes, folder / "ray"))
    finally:
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def check(options: Options) -> None:
    """Check that there is Ray, and a cluster that answers.

    Raises:
        ClusterError: It does not.
        ImportError: Ray is not installed.
    """
    if options.address == LOCAL:
        if not importlib.util.find_spec("ray"):
            _ray()
    else:
        _ray()
        check_answer(options.address)


def _ray():
    (ray,) = require("ray", extra="cluster", purpose="a grid in several processes")
    return ray


def _start(ray, options, data_bytes, folder):
    workers = options.workers or usable_cores()
    cpus = max(1, usable_cores() // workers)
    # What this process can import, the others can too.
    paths = os.pathsep.join(str(Path(path).absolute()) for path in sys.path)
    ray.init(
        address=LOCAL,
        num_cpus=workers * cpus,
        object_store_memory=int(1.1 * data_bytes) + 2**28,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        runtime_env=environment.of_trials(cpus, options.gpus, PYTHONPATH=paths),
        _temp_dir=str(folder),
    )
    if (address := ray.util.get_node_ip_address()) != _LOOPBACK:
        raise ClusterError(f"Ray must listen on {_LOOPBACK} only, got {address}")
    gpus = ray.cluster_resources().get("GPU", 0)
    wanted = min(1, gpus) if options.gpus is None else options.gpus
    return Needs(cpus, wanted, options.memory_bytes)


def _join(ray, options, modules):
    common = {"log_to_driver": False, "logging_level": "ERROR"}
    # The threads depend on the nodes, which are known only after a first look.
    with _one_line(options.address):
        ray.init(address=options.address, **common)
    needs = needs_on(options, [node["Resources"] for node in alive(ray)])
    ray.shutdown()
    runtime = {
        **environment.of_trials(needs.cpus, needs.gpus),
        "py_modules": [str(module) for module in modules],
        "excludes": ["__pycache__/", "results/"],
    }
    with _one_line(options.address):
        ray.init(address=options.address, runtime_env=runtime, **common)
    return needs


def alive(ray: Any) -> list[dict]:
    """The nodes that are alive, as Ray describes them."""
    return [node for node in ray.nodes() if node["Alive"]]


def needs_on(options: Options, nodes: Sequence[dict[str, float]]) -> Needs:
    """What a trial takes on a cluster.

    Args:
        options: What the user has asked for.
        nodes: The resources of each node, as Ray names them.
    """
    most_gpus = max(node.get("GPU", 0) for node in nodes)
    gpus = min(1, most_gpus) if options.gpus is None else options.gpus
    cores = [
        int(node["CPU"] // max(1, node["GPU"] // gpus if gpus else 1))
        for node in nodes
        if node.get("CPU", 0) >= 1 and node.get("GPU", 0) >= gpus
    ]
    cpus = options.cpus or max(1, min(cores, default=1))
    return Needs(cpus, gpus, options.memory_bytes)


def _checked(ray, needs):
    nodes = [node["Resources"] for node in alive(ray)]
    if not any(map(needs.fit, nodes)):
        raise ClusterError(
            f"no node of the cluster has room for a trial, which takes {needs}"
        )
    return needs


def _ray_folder(workdir):
    """A new folder for Ray's own files; what a killed command left is removed.

    Its path is short, as a socket's in it may have 107 characters at most.
    """
    digest = hashlib.sha256(str(workdir.resolve()).encode()).hexdigest()[:8]
    usual = tempfile.gettempdir()
    parent = Path(usual if len(usual) <= len("/var/tmp") else "/tmp")
    prefix = f"mobilenet_tf-{digest}-"
    for left in parent.glob(f"{prefix}*"):
        shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=prefix, dir=parent))


def check_answer(address: str) -> None:
    """Raise ClusterError unless a Ray cluster answers; Ray itself waits for minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=SECONDS).close()
        command = [sys.executable, "-m", "ray.scripts.scripts", "status"]
        subprocess.run(
            [*command, f"--address={address}"],
            capture_output=True,
            timeout=SECONDS,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        *_, last = ["", *error.stderr.decode(errors="replace").strip().splitlines()]
        raise ClusterError(
            f"the Ray cluster at {address} cannot be used: {last.strip()}"
        ) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = error.strerror if isinstance(error, OSError) else ""
        raise ClusterError(
            f"no Ray cluster answers at {address} within {SECONDS} seconds"
            + (f" ({reason})" if reason else "")
        ) from error


@contextlib.contextmanager
def _one_line(address):
    """Errors of Ray's connection as one line."""
    try:
        yield
    except (ConnectionError, RuntimeError, ValueError) as error:
        text = " ".join(str(error).split())
        raise ClusterError(
            f"the Ray cluster at {address} cannot be used: {text} (this machine must "
            f"be a node of it: `ray start --address={address} --num-cpus=0`)"
        ) from error
