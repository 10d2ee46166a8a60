"""Which hosts train together, and which of them this process is."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping, Sequence

from mobilenet_tf import arguments

DEFAULT_PORT = 8476
# Launchers and what they call the number of a process and the number of processes.
_LAUNCHERS = (
    ("SLURM_PROCID", "SLURM_NTASKS"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("PMI_RANK", "PMI_SIZE"),
)
_HOST = re.compile(r"([\w.-]+)(?::(\d{1,5}))?")


@dataclasses.dataclass(frozen=True)
class Hosts:
    """The processes of a training, one for each name.

    Attributes:
        names: Host names or IPv4 addresses; one that runs several processes is named
            once for each.
        port: The port on the first host at which the others meet it.
        index: Which of the names this process is, from 0.
    """

    names: tuple[str, ...]
    port: int
    index: int

    @property
    def count(self) -> int:
        """Number of processes."""
        return len(self.names)

    @property
    def own(self) -> str:
        """Name or address of this process's host."""
        return self.names[self.index]

    @property
    def local_index(self) -> int:
        """Number of this process among those of its host, from 0."""
        return self.names[: self.index].count(self.own)

    def describe(self, index: int) -> str:
        """A process in words."""
        return f"host {index} ({self.names[index]})"


def parse(
    hosts: Sequence[str],
    host_index: int | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Hosts:
    """Read which hosts there are.

    Args:
        hosts: Host names or IPv4 addresses, at least two; the first may end in `:PORT`.
            A host that runs several processes is named once for each.
        host_index: Which of them this process is, from 0; None means what the launcher
            says: SLURM, Open MPI, or another one that sets PMI_RANK.
        environment: Environment variables.

    Raises:
        ValueError: An argument is not as above, or the launcher has started another
            number of processes than there are hosts.
    """
    if len(hosts) < 2:
        raise ValueError(
            f"hosts must be at least two host names or addresses, got {list(hosts)}"
        )
    names, ports = [], []
    for host in hosts:
        matched = _HOST.fullmatch(host)
        if matched is None:
            raise ValueError(
                "hosts must be names or IPv4 addresses, not of IPv6, the first with a "
                f"port or without, as in 10.0.0.1:{DEFAULT_PORT},10.0.0.2; got {host!r}"
            )
        names.append(matched[1])
        ports.append(matched[2])
    if any(ports[1:]):
        raise ValueError(f"hosts must have a port at the first only, got {list(hosts)}")
    port = int(ports[0] or DEFAULT_PORT)
    if not 1 <= port <= 65535:
        raise ValueError(f"hosts must have a port from 1 to 65535, got {port}")
    if host_index is None:
        host_index = _of_launcher(len(names), environment)
    arguments.integer("host_index", host_index, 0)
    if host_index >= len(names):
        raise ValueError(
            f"host_index must be from 0 to {len(names) - 1}, the number of one of "
            f"hosts, got {host_index}"
        )
    return Hosts(tuple(names), port, host_index)


def _of_launcher(count: int, environment: Mapping[str, str]) -> int:
    for index, size in _LAUNCHERS:
        if index not in environment:
            continue
        started = environment.get(size, str(count))
        if started != str(count):
            raise ValueError(
                f"hosts must name a host once for each of its processes: {size} is "
                f"{started}, got {count} names"
            )
        return int(environment[index])
    raise ValueError(
        "host_index must be given, the number of this host in hosts from 0: no "
        f"launcher has set {' or '.join(index for index, _ in _LAUNCHERS)}"
    )
