"""Notices when another process of a training has failed, or answers no more."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Any

from mobilenet_tf.hosts.addresses import Hosts

INTERVAL_SECONDS = 1.0
# A process that has been silent for so long counts as lost.
LIMIT_SECONDS = 20.0
# Between the end of a process and the error of the others.
_PATIENCE_SECONDS = 5.0
# Between the notice of a loss and the end of a process that has not ended by itself.
_LAST_SECONDS = 2 * _PATIENCE_SECONDS
# So long after the loss of another, every process has ended.
ENDED_SECONDS = LIMIT_SECONDS + _LAST_SECONDS
_ALIVE, _FAILED = "alive/", "failed/"


class HostError(ConnectionError):
    """A process of the training has failed, or cannot be reached."""


class Watch:
    """Tells the others that this process lives, and watches them.

    A process that waits for another one in a collective operation waits for ever, and
    inside the backend: it can only be ended from another thread.

    Args:
        hosts: All processes.
        client: JAX's client of the coordination service.
    """

    def __init__(self, hosts: Hosts, client: Any):
        self._hosts, self._client = hosts, client
        self._beats = dict.fromkeys(range(hosts.count), "")
        self._changed = dict.fromkeys(range(hosts.count), time.monotonic())
        self._answered = time.monotonic()
        self._failures: dict[int, str] = {}
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=work, daemon=True)
            for work in (self._exchange, self._judge)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Watch no longer: the process ends, or handles an error itself.

        The end of Python aborts a process that has a thread inside the backend.
        """
        self._stopped.set()
        for thread in self._threads:
            thread.join(_PATIENCE_SECONDS)

    def fail(self, message: str) -> None:
        """Tell the others why this process ends."""
        self._client.key_value_set(f"{_FAILED}{self._hosts.index}", message)

    def reason(self, limit: float = LIMIT_SECONDS) -> str | None:
        """What is wrong with another process, in words; None where nothing is.

        Args:
            limit: Seconds without an answer after which a process counts as lost.
        """
        for index, message in sorted(self._failures.items()):
            return f"{self._hosts.describe(index)} has failed: {message}"
        now = time.monotonic()
        if now - self._answered > limit:
            silent = [0]
        else:
            silent = [k for k, last in self._changed.items() if now - last > limit]
        lost = ", ".join(map(self._hosts.describe, silent))
        return f"{lost} has ended or cannot be reached" if silent else None

    def wait_for_reason(self) -> str | None:
        """The same for a process whose connection to another one has just broken."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < end and not self._failures:
            time.sleep(INTERVAL_SECONDS / 4)
        return self.reason(_PATIENCE_SECONDS - INTERVAL_SECONDS)

    def _exchange(self):
        beat = 0
        while not self._stopped.wait(INTERVAL_SECONDS if beat else 0):
            beat += 1
            try:
                self._client.key_value_set(
                    f"{_ALIVE}{self._hosts.index}", str(beat), allow_overwrite=True
                )
                beats = self._client.key_value_dir_get(_ALIVE)
                failures = self._client.key_value_dir_get(_FAILED)
            except Exception:  # of the backend: the first host is not there
                continue
            now = self._answered = time.monotonic()
            for key, value in beats:
                index = int(key.rpartition("/")[2])
                if value != self._beats[index]:
                    self._beats[index], self._changed[index] = value, now
            self._failures = {
                index: message
                for key, message in failures
                if (index := int(key.rpartition("/")[2])) != self._hosts.index
            }

    def _judge(self):
        """End the process if it has not ended by itself."""
        while not self._stopped.wait(INTERVAL_SECONDS):
            if self.reason() is None:
                continue
            if not self._stopped.wait(_LAST_SECONDS):
                print(f"error: {ended(self.reason())}", file=sys.stderr, flush=True)
                os._exit(1)  # all files appear by atomic rename


def ended(reason: str | None) -> str:
    """The message of a training that ends because of another process."""
    reason = reason or "the connection to another host has broken"
    return f"{reason}; the same command on all hosts goes on from the last epoch"
