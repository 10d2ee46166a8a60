"""Where the processes of a training come together, before JAX connects them.

The first process waits until all others have come, and tells them where JAX's service
is; or what is wrong. Each sends a line of JSON and gets one.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from typing import Any

from mobilenet_tf.hosts import own_address
from mobilenet_tf.hosts.addresses import Hosts
from mobilenet_tf.hosts.watch import HostError

_MOST_BYTES = 2**14
_LINE_SECONDS = 5.0
_LOOK_SECONDS = 0.1  # between two looks at who is still there


def receive(
    hosts: Hosts,
    versions: dict[str, str],
    answer: dict[str, Any],
    seconds: float,
    ready: Callable[[], bool] = lambda: True,
) -> None:
    """Wait for the other processes, and answer them; called by the first one.

    A process that comes with the number of another one is refused, unless that has
    ended: it may have been started again.

    Args:
        hosts: All processes.
        versions: Those of this process, which all others must have.
        answer: For all others.
        seconds: For how long they are waited for.
        ready: Whether the answer holds already, which is waited for as long; it may
            raise a HostError.

    Raises:
        ValueError: A process has other versions.
        HostError: The address cannot be listened at, or a process has not come.
    """
    guests: dict[int, socket.socket] = {}
    said = {"error": f"{hosts.describe(0)} has ended"}
    try:
        with _listener(hosts) as listener:
            _fill(listener, guests, hosts, versions, time.monotonic() + seconds, ready)
        missing = set(range(1, hosts.count)) - set(guests)
        if missing:
            names = ", ".join(hosts.describe(index) for index in sorted(missing))
            raise HostError(f"{names} has not come within {seconds:g} s")
        _wait_until(ready, seconds)
        said = answer
    except (HostError, ValueError) as error:
        said = {"error": str(error)}
        raise
    finally:
        for guest in guests.values():
            with guest:
                _send(guest, said)


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
                    f"nobody has answered at {hosts.names[0]}:{hosts.port} within "
                    f"{seconds:g} s ({error}): is the first host running, and does its "
                    "firewall let this one through?"
                ) from error
        time.sleep(0.5)
    if "error" in answer:
        raise HostError(answer["error"])
    return answer


def _listener(hosts):
    try:
        family, address = own_address.resolved(hosts.own)
        return socket.create_server((address, hosts.port), family=family)
    except (OSError, UnicodeError) as error:
        raise own_address.not_here(hosts, error) from None


def _fill(listener, guests, hosts, versions, end, ready):
    """Let the others in, until all are here or the time is over."""
    listener.settimeout(_LOOK_SECONDS)
    while True:
        ready()  # an error of it comes before the others have
        _forget_gone(guests)
        if len(guests) == hosts.count - 1 or time.monotonic() > end:
            return
        try:
            guest, _ = listener.accept()
        except (TimeoutError, ConnectionAbortedError):
            continue
        _let_in(guest, guests, hosts, versions)


def _let_in(guest, guests, hosts, versions):
    guest.settimeout(_LINE_SECONDS)
    try:
        said = _receive(guest)
        index, theirs = int(said["index"]), dict(said["versions"])
    except (OSError, ValueError, KeyError, TypeError):
        guest.close()  # not one of ours
        return
    _forget_gone(guests)
    if reason := _refusal(index, guests, hosts):
        with guest:
            _send(guest, {"error": reason})
        return
    guests[index] = guest
    for name, own in versions.items():
        if theirs.get(name) != own:
            raise ValueError(
                f"all hosts must have the same versions: {hosts.describe(index)} "
                f"has {name} {theirs.get(name)}, {hosts.describe(0)} has {own}"
            )


def _refusal(index, guests, hosts):
    if index in guests:
        return f"host_index {index} is taken by another host"
    if not 0 < index < hosts.count:
        return (
            f"host_index must be from 1 to {hosts.count - 1}, as {hosts.describe(0)} "
            f"names {hosts.count} hosts, got {index}"
        )
    return ""


def _forget_gone(guests):
    for index in [index for index, guest in guests.items() if _has_gone(guest)]:
        guests.pop(index).close()


def _has_gone(guest):
    """Whether its process has ended: one that waits for the answer says nothing."""
    guest.setblocking(False)
    try:
        return not guest.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _wait_until(ready, seconds):
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise HostError(
                f"the coordination service has not started within {seconds:g} s"
            )
        time.sleep(_LOOK_SECONDS)


def _send(connection, message):
    connection.settimeout(_LINE_SECONDS)
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
