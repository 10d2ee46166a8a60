"""The tasks of a sweep, as the driver sees them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from experiments.sweep import node, session
from experiments.sweep.events import Event
from experiments.sweep.node import Job, Refused
from experiments.sweep.options import ClusterError, Needs
from experiments.sweep.source import Source
from experiments.sweep.storage import StorageError
from experiments.sweep.storage_actor import StorageActor, TrialError
from experiments.trials.trial import Trial
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.files import checked_json

_OWN = (StorageError, TrialError, ValueError)  # errors whose text says all
_POLL_SECONDS = 5.0  # between looks at the nodes, where there is no event
_THREADS = 16  # of the storage actor, one of which waits for events
# Names of variables that fsspec and its plug-ins read begin so.
_STORAGE_VARIABLES = ("AWS_", "AZURE_", "FSSPEC_", "GCSFS_", "GOOGLE_", "S3FS_")


class Tasks:
    """The tasks of a grid, on the cluster that this process is connected to.

    Args:
        trials: What is to be trained, parents first, those that take longest first.
        data: The data set, or what gives it on a node.
        storage: Where files are kept, see `Storage`.
        needs: What a trial takes.
        job: Called with a trial; what a node must know of it.
    """

    def __init__(
        self,
        trials: Sequence[Trial],
        data: DataSet | Source,
        storage: str,
        needs: Needs,
        job: Callable[[Trial], Job],
    ):
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self._ray, self._needs, self._job = ray, needs, job
        here = ray.get_runtime_context().get_node_id()
        self._actor = (
            ray.remote(StorageActor)
            .options(
                num_cpus=0,
                max_restarts=-1,
                max_task_retries=-1,
                max_concurrency=_THREADS,
                scheduling_strategy=NodeAffinitySchedulingStrategy(here, soft=False),
            )
            .remote(storage, _credentials())
        )
        self._task = ray.remote(node.run)
        self._options: dict[str, Any] = {
            "num_cpus": needs.cpus,
            "num_gpus": needs.gpus,
            "memory": needs.memory_bytes,
            "max_retries": -1,  # the storage actor ends what fails for ever
        }
        self._data = ray.put(data)
        self._weights: dict[Path, Any] = {}
        self._waiting = list(trials)
        self._running: dict[Any, Trial] = {}
        self._refused: dict[str, str] = {}  # reasons by node
        self._waits = False  # for a node

    def finished(
        self, report: Callable[[Event], None], message: Callable[[str], None]
    ) -> Iterator[tuple[Trial, dict]]:
        """Train all; yields each trial with its record when it is done.

        Args:
            report: Called after every epoch.
            message: Called with a line about what a user should know.

        Raises:
            ClusterError: The cluster is lost, or a trial fails on it.
        """
        ray = self._ray
        events = self._actor.events.remote(_POLL_SECONDS)
        try:
            while self._waiting or self._running:
                self._submit()
                ready, _ = ray.wait([events, *self._running])
                for ref in ready:
                    if ref == events:
                        for event in ray.get(ref):
                            report(event)
                        self._check_room(message)
                        events = self._actor.events.remote(_POLL_SECONDS)
                        continue
                    outcome, trial = ray.get(ref), self._running.pop(ref)
                    if isinstance(outcome, Refused):
                        self._waiting.insert(0, trial)
                        if outcome.node not in self._refused:
                            self._refused[outcome.node] = outcome.reason
                            message(f"a node cannot train: {outcome.reason}")
                        continue
                    yield trial, checked_json.loads(outcome)
        except ray.exceptions.RayError as error:
            raise ClusterError(reason(error)) from error
        finally:
            ray.cancel(events)

    def _submit(self):
        """Submit the trials whose parents are done, in their order."""
        unfinished = {t.key for t in (*self._waiting, *self._running.values())}
        later = []
        for trial in self._waiting:
            if trial.parent is not None and trial.parent.key in unfinished:
                later.append(trial)
                continue
            ref = self._placed().remote(
                self._job(trial), self._data, self._actor, self._weights_of(trial)
            )
            self._running[ref] = trial
        self._waiting = later

    def _placed(self):
        """The task, for nodes that have not refused one."""
        if not self._refused:
            return self._task.options(**self._options)
        if not self._room():
            reasons = "; ".join(self._refused.values())
            raise ClusterError(f"no node is left that can train: {reasons}")
        excluded = {"ray.io/node-id": f"!in({','.join(self._refused)})"}
        return self._task.options(**self._options, label_selector=excluded)

    def _room(self):
        """Whether there is a node for a trial, busy or not."""
        return any(
            self._needs.fit(described["Resources"])
            for described in session.alive(self._ray)
            if described["NodeID"] not in self._refused
        )

    def _check_room(self, message):
        """Say so where no node is left for what is to be trained."""
        room = self._room()
        if not room and not self._waits:
            message(f"waiting for a node with room for a trial: {self._needs}")
        self._waits = not room

    def _weights_of(self, trial):
        """The file of pre-trained weights, which is sent once, if it is read."""
        path = trial.network.weights
        if path is None or trial.network.steps:
            return None
        if path not in self._weights:
            self._weights[path] = self._ray.put(Path(path).read_bytes())
        return self._weights[path]


def _credentials():
    """The variables that say how this process reaches a storage."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith(_STORAGE_VARIABLES)
    }


def reason(error: Exception) -> str:
    """An error of Ray in a line."""
    cause = error
    while (inner := getattr(cause, "cause", None)) is not None:
        cause = inner
    text = " ".join(str(cause).split())
    return text if isinstance(cause, _OWN) else f"{type(cause).__name__}: {text}"
