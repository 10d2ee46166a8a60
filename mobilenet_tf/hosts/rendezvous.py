"""Where the processes of a training come together, before JAX connects them.

The first process waits until all others have come, and tells them where JAX's service
is; or what is wrong. Each sends a line of JSON and gets one.
"""

from __future__ import annotations

import json
import socket
import time
from typing import Any

from mobilenet_tf.hosts.addresses import Hosts
from mobilenet_tf.hosts.watch import HostError

_MOST_BYTES = 2**14
_LINE_SECONDS = 5.0


def receive(
    hosts: Hosts, versions: dict[str, str], answer: dict[str, Any], seconds: float
) -> None:
    """Wait for the other processes, and answer them; called by the first one.

    Args:
        hosts: All processes.
        versions: Those of this process, which all others must have.
        answer: For all others.
        seconds: For how long they are waited for.

    Raises:
        ValueError: A process has other versions, or the number of another process.
        HostError: The address cannot be listened at, or a process has not come.
    """
    guests: dict[int, socket.socket] = {}
    try:
        family, *_, address = _addresses(hosts)[0]
        with socket.create_server(address[:2], family=family) as listener:
            _fill(listener, guests, hosts, versions, time.monotonic() + seconds)
        missing = set(range(1, hosts.count)) - set(guests)
        if missing:
            names = ", ".join(hosts.describe(index) for index in sorted(missing))
            raise HostError(f"{names} has not come within {seconds:g} s")
    except (OSError, ValueError) as error:
        if not isinstance(error, HostError) and isinstance(error, OSError):
            error = _not_here(hosts, error)
        answer = {"error": str(error)}
        raise error from None
    finally:
        for guest in guests.values():
            with guest:
                _send(guest, answer)


def announce(hosts: Hosts, versions: dict[str, str], seconds: float) -> dict[str, Any]:
    """Come to the first process, and wait for its answer.

    Args:
        hosts: All processes.
        versions: Those of this process.
        seconds: For how long the first process is waited for.

    Raises:
        HostError: Nobody answers, or the first process says what is wrong.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            place = (hosts.names[0], hosts.port)
            with socket.create_connection(place, timeout=_LINE_SECONDS) as first:
                _send(first, {"index": hosts.index, "versions": versions})
                # It waits for the others for as long as it is told to.
                first.settimeout(2 * seconds + _LINE_SECONDS)
                answer = _receive(first)
            break
        except (OSError, ValueError) as error:
            if time.monotonic() > end:
                raise HostError(
                    f"nobody has answered at {_place(hosts)} within {seconds:g} s "
                    f"({error}): is the first host running, and does its firewall let "
                    "this one through?"
                ) from error
        time.sleep(0.5)
    if "error" in answer:
        raise HostError(answer["error"])
    return answer


def free_port(hosts: Hosts) -> int:
    """A port at the first host's address that nothing listens at.

    Raises:
        HostError: It is no address of this machine.
    """
    try:
        family, *_, address = _addresses(hosts)[0]
        with socket.create_server((address[0], 0), family=family) as probe:
            return probe.getsockname()[1]
    except OSError as error:
        raise _not_here(hosts, error) from error


def _not_here(hosts, error):
    return HostError(
        f"cannot listen at {_place(hosts)} ({error.strerror}): the first of hosts must "
        "be an address of this machine, with a free port"
    )


def _fill(listener, guests, hosts, versions, end):
    """Let the others in, until all have come or the time is over."""
    while len(guests) < hosts.count - 1 and (left := end - time.monotonic()) > 0:
        listener.settimeout(left)
        try:
            guest, _ = listener.accept()
        except TimeoutError:
            return
        guest.settimeout(_LINE_SECONDS)
        try:
            said = _receive(guest)
            index, theirs = int(said["index"]), dict(said["versions"])
        except (OSError, ValueError, KeyError, TypeError):
            guest.close()  # not one of ours
            continue
        if not 0 < index < hosts.count or index in guests:
            with guest:
                _send(guest, {"error": f"host_index {index} is taken by another host"})
            continue
        guests[index] = guest
        for name, own in versions.items():
            if theirs.get(name) != own:
                raise ValueError(
                    f"all hosts must have the same versions: {hosts.describe(index)} "
                    f"has {name} {theirs.get(name)}, {hosts.describe(0)} has {own}"
                )


def _send(connection, message):
    try:
        connection.sendall(json.dumps(message).encode() + b"\n")
    except OSError:
        return  # it has gone; the training notices


def _receive(connection):
    with connection.makefile("rb") as lines:
        message = json.loads(lines.readline(_MOST_BYTES))
    if not isinstance(message, dict):
        raise ValueError("the message is not a JSON object")
    return message


def _addresses(hosts):
    return socket.getaddrinfo(hosts.names[0], hosts.port, type=socket.SOCK_STREAM)


def _place(hosts):
    return f"{hosts.names[0]}:{hosts.port}"
