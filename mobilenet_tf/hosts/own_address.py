"""The address at which this process listens and the others of a training reach it."""

from __future__ import annotations

import ipaddress
import socket

from mobilenet_tf.hosts.addresses import Hosts
from mobilenet_tf.hosts.watch import HostError


def free_port(hosts: Hosts) -> int:
    """A port at this process's own address that nothing listens at.

    Raises:
        HostError: It is no address of this machine.
    """
    try:
        family, address = resolved(hosts.own)
        with socket.create_server((address, 0), family=family) as probe:
            return probe.getsockname()[1]
    except (OSError, UnicodeError) as error:
        raise not_here(hosts, error) from error


def check_reachable(hosts: Hosts) -> None:
    """Check that no other host would look for this one at its own loopback interface.

    Debian gives a machine's own name the address 127.0.1.1, in /etc/hosts.

    Raises:
        ValueError: This process's own entry is a loopback address, another one is not.
        OSError: Its own entry is no address.
    """
    _, own = resolved(hosts.own)
    if not _is_loopback(own):
        return
    for name in hosts.names:
        if not _is_loopback(name):
            raise ValueError(
                "hosts must be addresses of the network that connects them, or names "
                f"of such: {hosts.own} is {own} on this machine, a loopback address at "
                f"which {name} cannot reach it; give its address of the network "
                "instead, on all hosts"
            )


def resolved(name: str) -> tuple[socket.AddressFamily, str]:
    """The family of a host's address, and the address.

    Raises:
        OSError: There is none.
        UnicodeError: It is no name of a host.
    """
    family, _, _, _, place = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)[0]
    return family, str(place[0])


def not_here(hosts: Hosts, error: Exception) -> HostError:
    """The error of a process that cannot listen at its own entry of the list."""
    # What `create_server` adds to it is the address once more.
    reason = str(getattr(error, "strerror", None) or error).partition(" (while")[0]
    place, port = hosts.own, ""
    if hosts.index == 0:
        place, port = f"{hosts.own}:{hosts.port}", ", with a free port"
    return HostError(
        f"cannot listen at {place} ({reason}): hosts must have an address of this "
        f"machine at host_index {hosts.index}{port}"
    )


def _is_loopback(name):
    try:
        return ipaddress.ip_address(resolved(name)[1]).is_loopback
    except (OSError, UnicodeError):
        return False  # not even an address of this machine
