"""The connection between the processes of a training, and the devices of each.

JAX's public function serves in the first process and listens at all addresses unless it
is told otherwise, and JAX aborts a process that has lost another with a stack trace.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import platform
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import mobilenet_tf
from mobilenet_tf import processor
from mobilenet_tf.hosts import rendezvous
from mobilenet_tf.hosts.addresses import Hosts
from mobilenet_tf.hosts.watch import HostError

_SERVICE = "mobilenet_tf.hosts.coordinator"
# Our own watch notices a lost process much sooner; JAX would abort all others.
HEARTBEAT_SECONDS = 300
SHUTDOWN_SECONDS = 30
FINISHED = "finished"  # what the first process tells the service at a good end


@contextlib.contextmanager
def established(hosts: Hosts, seconds: float) -> Iterator[Any]:
    """JAX's client of a coordination service that all processes are connected with.

    The service runs in a process beside the first one and ends soon after it.

    Raises:
        ValueError: A process has other versions.
        HostError: A process does not come.
    """
    with contextlib.ExitStack() as stack:
        if hosts.index == 0:
            address = f"{hosts.names[0]}:{rendezvous.free_port(hosts)}"
            stack.enter_context(_service(address, hosts.count, seconds))
            rendezvous.receive(hosts, versions(), {"address": address}, seconds)
        else:
            address = rendezvous.announce(hosts, versions(), seconds)["address"]
        yield _client(address, hosts.index, seconds)


def use_devices(hosts: Hosts, client: Any) -> None:
    """Give this process its devices, which know of those of the others."""
    import jax
    from jax._src import distributed, xla_bridge
    from jax._src.lib import _jax

    state = distributed.global_state  # as jax.distributed.initialize sets it
    state.client, state.process_id = client, hosts.index
    state.num_processes = hosts.count
    if hosts.names.count(hosts.own) > 1:  # one accelerator for each process of a host
        jax.config.update("jax_cuda_visible_devices", str(hosts.local_index))
        jax.config.update("jax_rocm_visible_devices", str(hosts.local_index))

    def processors():
        collectives = _jax.make_gloo_tcp_collectives(
            distributed_client=client,
            hostname=hosts.own,  # by default the address that the host's name has
        )
        return xla_bridge.make_cpu_client(collectives=collectives)

    xla_bridge.register_backend_factory(
        "cpu", processors, priority=0, fail_quietly=False
    )


def connect_devices() -> None:
    """Connect the devices of all processes, each of which has equally many."""
    from jax.experimental import multihost_utils

    with processor.without_notes(1), processor.without_notes():
        multihost_utils.sync_global_devices("connected")


def leave() -> None:
    """Keep JAX from waiting, at the exit of this process, for others that are lost."""
    from jax._src import distributed

    distributed.global_state.client = None


def devices() -> dict[str, Any]:
    """The devices of this process, of which all hosts must have the same."""
    import jax

    return {
        "platform": jax.default_backend(),
        "devices": jax.local_device_count(),
    }


def versions() -> dict[str, str]:
    """The versions that all hosts must have the same of."""
    import jax
    import keras
    import numpy as np

    return {
        "mobilenet_tf": mobilenet_tf.__version__,
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "keras": keras.__version__,
        "jax": jax.__version__,
        "jaxlib": importlib.metadata.version("jaxlib"),
        "numpy": np.__version__,
    }


@contextlib.contextmanager
def _service(address, processes, seconds):
    process = subprocess.Popen(
        [sys.executable, "-m", _SERVICE, address, str(processes), str(int(seconds))],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,  # who reads ours need not wait for it
        text=True,
        stderr=subprocess.DEVNULL,  # what it says of lost processes, the watch says
        start_new_session=True,  # Ctrl-C is for this process, which tells the others
    )
    assert process.stdin is not None
    try:
        yield  # it starts while the others come
        with contextlib.suppress(OSError):  # it has ended already
            process.stdin.write(FINISHED)
    finally:
        with contextlib.suppress(OSError):
            process.stdin.close()


def _client(address, index, seconds):
    from jax._src.lib import _jax

    client = _jax.get_distributed_runtime_client(
        address,
        index,
        init_timeout=int(seconds),
        shutdown_timeout=SHUTDOWN_SECONDS,
        heartbeat_timeout=HEARTBEAT_SECONDS,
        shutdown_on_destruction=False,
        use_compression=True,
    )
    try:
        with processor.without_notes():
            client.connect()
    except Exception as error:  # of the backend
        raise HostError(f"cannot connect with {address}: {error}") from error
    return client
