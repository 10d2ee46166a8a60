"""The process that keeps the files of a sweep and passes its events on.

It runs once, on the machine of the driver, which alone needs access to the storage. It
imports nothing heavy.
"""

from __future__ import annotations

import collections
import os
import queue
import threading
from collections.abc import Mapping

from experiments.sweep.events import Event
from experiments.sweep.storage import (
    Storage,
    model_name,
    record_name,
    snapshot_name,
)

# Of one trial, without an epoch between them: more are no accidents.
MOST_STARTS = 10


class TrialError(Exception):
    """A trial cannot be trained."""


class StorageActor:
    """Reads and writes the files of trials; its methods may be called from any thread.

    All that a training needs is in the storage, so that this can be killed and started
    again, and a call can be repeated; events, and how often a trial has begun, are not.
    It writes nothing once the process that started it is gone: a local cluster ends
    with a killed command, but its processes go on for seconds, in which the same
    command may have been given again.

    Args:
        url: See `Storage`.
        environment: Variables with which the storage is reached; on a cluster this
            process has only those with which its node was started.
    """

    def __init__(self, url: str, environment: Mapping[str, str] | None = None):
        os.environ.update(environment or {})
        self._storage = Storage(url)
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._starts: collections.Counter[str] = collections.Counter()
        # A slow storage keeps the files of one trial waiting, not those of others.
        self._locks: dict[str, threading.Lock] = {}
        self._finished: set[str] = set()
        self._parent = os.getppid()

    def begin(self, key: str, again: bool) -> tuple[bytes | None, bytes | None]:
        """Called where a training starts, for the first time or after a failure.

        Args:
            key: Key of the trial.
            again: Whether it is trained although it has a record, as its model is lost.

        Returns:
            The record and the last snapshot; None for what there is not.

        Raises:
            TrialError: The trial has ended its process again and again.
        """
        with self._lock_of(key):
            self._starts[key] += 1
            starts = self._starts[key]
        if starts > MOST_STARTS:
            raise TrialError(
                f"trial {key} has ended its process {MOST_STARTS} times without an "
                "epoch between; perhaps a node has too little memory for it"
            )
        record = None
        if key in self._finished or not again:
            record = self._storage.read(record_name(key))
        return record, self._storage.read(snapshot_name(key))

    def refused(self, key: str) -> None:
        """A node cannot train what was begun there: the start does not count."""
        with self._lock_of(key):
            self._starts[key] -= 1

    def save(self, key: str, snapshot: bytes, event: Event) -> None:
        """Write the snapshot of an epoch.

        One that comes too late, from a node that was thought dead, is passed over.
        """
        with self._lock_of(key):
            if key in self._finished:
                return
            self._check_parent()
            self._starts[key] = 0
            self._storage.write(snapshot_name(key), snapshot)
        self._events.put(event)

    def finish(self, key: str, model: bytes, record: bytes) -> bytes:
        """Write model and record, and remove the snapshot.

        Returns:
            The record: the first one, where a trial was finished twice.
        """
        with self._lock_of(key):
            if key in self._finished:
                return self._storage.read(record_name(key)) or record
            self._check_parent()
            self._storage.write(model_name(key), model)
            self._storage.write(record_name(key), record)
            self._storage.remove(snapshot_name(key))
            self._finished.add(key)
            return record

    def model(self, key: str) -> bytes:
        """The model of a trial that is done."""
        content = self._storage.read(model_name(key))
        if content is None:
            raise TrialError(
                f"the model of trial {key} is lost; give the command again"
            )
        return content

    def events(self, seconds: float) -> list[Event]:
        """The events since the last call; waits for one, at most so long."""
        try:
            events = [self._events.get(timeout=seconds)]
        except queue.Empty:
            return []
        while not self._events.empty():
            events.append(self._events.get())
        return events

    def _lock_of(self, key: str) -> threading.Lock:
        return self._locks.setdefault(key, threading.Lock())

    def _check_parent(self) -> None:
        """The parent of an orphan is another one, before anything else tells of it."""
        if os.getppid() != self._parent:
            raise TrialError("the command that trains has ended")
