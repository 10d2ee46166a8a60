"""The connection between the processes of a training, and the devices of each.

JAX's public function serves in the first process and listens at all addresses unless it
is told otherwise, and JAX aborts a process that has lost another with a stack trace.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import platform
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mobilenet_tf
from mobilenet_tf import processor
from mobilenet_tf.hosts import own_address, rendezvous, sources
from mobilenet_tf.hosts.addresses import Hosts
from mobilenet_tf.hosts.service import Service
from mobilenet_tf.hosts.watch import HostError

# Our own watch notices a lost process much sooner; JAX would abort all others.
HEARTBEAT_SECONDS = 300
SHUTDOWN_SECONDS = 30
# What the backend says where this process has failed, and not its connection.
_OF_THIS_PROCESS = ("RESOURCE_EXHAUSTED", "INVALID_ARGUMENT")


@contextlib.contextmanager
def established(hosts: Hosts, seconds: float) -> Iterator[Any]:
    """JAX's client of a coordination service that all processes are connected with.

    The service runs in a process beside the first one and ends soon after it.

    Raises:
        ValueError: A process has other versions, or this one is at an address that the
            others cannot reach.
        HostError: The address is not of this machine, or a process does not come.
    """
    port = own_address.free_port(hosts)
    own_address.check_reachable(hosts)
    with contextlib.ExitStack() as stack:
        if hosts.index == 0:
            address = f"{hosts.own}:{port}"
            service = stack.enter_context(Service(address, hosts.count, seconds))
            answer = {"address": address}
            rendezvous.receive(hosts, versions(), answer, seconds, service.listens)
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


def has_broken(error: BaseException) -> bool:
    """Whether an error is the backend's, and of a broken connection most likely."""
    import jax

    status = re.match(r"([A-Z]+(_[A-Z]+)*): ", str(error))
    if status is not None and status[1] in _OF_THIS_PROCESS:
        return False
    return isinstance(error, jax.errors.JaxRuntimeError) or (
        isinstance(error, ValueError) and status is not None
    )


def devices() -> dict[str, Any]:
    """The devices of this process, of which all hosts must have the same.

    Raises:
        RuntimeError: There are none, or JAX cannot use them.
    """
    import jax

    try:
        return {
            "platform": jax.default_backend(),
            "devices": jax.local_device_count(),
        }
    except AssertionError as error:  # as with JAX_PLATFORMS=cuda and no GPU
        platforms = getattr(jax.config, "jax_platforms", None)
        raise RuntimeError(
            "JAX_PLATFORMS must name a platform that has devices here, got "
            f"{platforms!r}"
        ) from error


def versions() -> dict[str, str]:
    """The versions that all hosts must have the same of, and the code."""
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
        "mobilenet_tf code": sources.digest(Path(mobilenet_tf.__path__[0])),
    }


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
