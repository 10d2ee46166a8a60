"""Notices that a cluster's head is lost, and says so."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from collections.abc import Iterator

_POLL_SECONDS = 2.0
_LIMIT_SECONDS = 20.0  # of silence


@contextlib.contextmanager
def watched(address: str) -> Iterator[None]:
    """End this process with an error as soon as the head of a cluster is lost.

    Ray's calls wait for the head where no exception reaches them, and after a minute
    Ray ends the process itself, with a message for its developers.

    Args:
        address: Host and port of the head, `HOST:PORT`.
    """
    ended = threading.Event()

    def watch():
        silent = 0.0
        while silent < _LIMIT_SECONDS:
            if ended.wait(_POLL_SECONDS):
                return
            silent = 0.0 if _answers(address) else silent + _POLL_SECONDS
        print(
            f"error: the head of the Ray cluster at {address} has not answered for "
            f"{_LIMIT_SECONDS:.0f} seconds; what is done is kept, and the same command "
            "goes on when the cluster is back",
            file=sys.stderr,
            flush=True,
        )
        os._exit(1)  # files appear by rename: none is left half-written

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _answers(address):
    host, _, port = address.rpartition(":")
    with contextlib.suppress(OSError):
        socket.create_connection((host, int(port)), _POLL_SECONDS).close()
        return True
    return False
