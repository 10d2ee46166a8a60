"""The connection between the processes of a training, and the devices of each.

JAX's public function serves in the first process and listens at all addresses unless it
is told otherwise, and JAX aborts a process that has lost another with a stack trace.
"""

from __future__ import annotations

import contextlib
import errno
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import mobilenet_tf
from mobilenet_tf import processor
from mobilenet_tf.hosts import coordinator
from mobilenet_tf.hosts.addresses import Hosts
from mobilenet_tf.hosts.watch import HostError


@contextlib.contextmanager
def service(hosts: Hosts, seconds: float) -> Iterator[None]:
    """The coordination service, in a process that ends soon after this one.

    Raises:
        HostError: The address cannot be listened at.
    """
    address = f"{hosts.names[0]}:{hosts.port}"
    _wait_until_free(hosts, address)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", coordinator.__name__),
            *(address, str(hosts.count), str(int(seconds))),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # what it says of lost processes, the watch says
        text=True,
        start_new_session=True,  # Ctrl-C is for this process, which tells the others
    )
    if process.stdout.readline().strip() != coordinator.LISTENING:
        raise HostError(f"cannot listen at {address}")
    try:
        yield
    finally:
        process.stdin.close()


def client(hosts: Hosts, seconds: float) -> Any:
    """JAX's client of the coordination service, connected.

    Raises:
        HostError: Nobody answers, or not all processes come.
    """
    from jax._src.lib import _jax

    address = f"{hosts.names[0]}:{hosts.port}"
    _wait_for_answer(hosts, address, seconds)
    connected = _jax.get_distributed_runtime_client(
        address,
        hosts.index,
        init_timeout=int(seconds),
        shutdown_timeout=coordinator.GRACE_SECONDS,
        heartbeat_timeout=coordinator.HEARTBEAT_SECONDS,
        shutdown_on_destruction=False,
        use_compression=True,
    )
    try:
        with processor.without_notes():
            connected.connect()
    except Exception as error:  # of the backend
        raise HostError(
            f"not all of {hosts.count} processes have come to {address} within "
            f"{seconds:g} s: {', '.join(hosts.names)}"
        ) from error
    return connected


def _wait_until_free(hosts, address):
    """Wait for the service of a training that has just ended."""
    end = time.monotonic() + 2 * coordinator.GRACE_SECONDS
    while True:
        try:
            family, *_, target = socket.getaddrinfo(
                hosts.names[0], hosts.port, type=socket.SOCK_STREAM
            )[0]
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(target)
            return
        except OSError as error:
            in_use = error.errno == errno.EADDRINUSE
            if not in_use or time.monotonic() > end:
                raise HostError(
                    f"cannot listen at {address}: {error.strerror}"
                ) from error
        time.sleep(1)


def _wait_for_answer(hosts, address, seconds):
    """Wait until the first host listens."""
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection((hosts.names[0], hosts.port), timeout=5).close()
            return
        except OSError as error:
            if time.monotonic() > end:
                raise HostError(
                    f"nobody has answered at {address} within {seconds:g} s "
                    f"({error.strerror or error}): is the first host running, and does "
                    "its firewall let this one through?"
                ) from error
        time.sleep(0.5)


def use_devices(hosts: Hosts, client: Any) -> None:
    """Give this process its devices, and a connection to those of the others."""
    import jax
    from jax._src import distributed, xla_bridge
    from jax._src.lib import _jax

    state = distributed.global_state  # as jax.distributed.initialize sets it
    state.client, state.process_id = client, hosts.index
    state.num_processes = hosts.count
    state.coordinator_address = f"{hosts.names[0]}:{hosts.port}"
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
    from jax.experimental import multihost_utils

    with processor.without_notes(1), processor.without_notes():
        multihost_utils.sync_global_devices("connected")


def devices() -> dict[str, Any]:
    """What all hosts must have the same of."""
    import jax

    return {
        "platform": jax.default_backend(),
        "devices": jax.local_device_count(),
    }


def versions() -> dict[str, str]:
    """The same of packages and Python."""
    import jax
    import keras
    import numpy as np

    return {
        "mobilenet_tf": mobilenet_tf.__version__,
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "keras": keras.__version__,
        "jax": jax.__version__,
        "numpy": np.__version__,
    }
