"""What runs on a node: the training of one trial."""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from concurrent import futures
from pathlib import Path
from typing import Any

from experiments.sweep.source import Source, describe, differences, load
from experiments.sweep.trainer import train
from experiments.sweep.workdir import Workdir
from experiments.trials.trial import Trial
from mobilenet_tf import files
from mobilenet_tf.data.dataset import DataSet

_SCRATCH = "mobilenet_tf-trial"
# A training that fails where less is left on the disk fails for that.
_FULL_BYTES = 2**20


@dataclasses.dataclass(frozen=True)
class Job:
    """A trial and all that a node must know to train it.

    Args:
        trial: What is trained.
        experiment: Name of the experiment, written into the record.
        source: Commit of the driver's code.
        data_parallel: Split each batch over all devices of the node.
        again: Whether the trial is trained although it has a record.
        versions: Those that a node must have; see `experiments.sweep.source.versions`.
    """

    trial: Trial
    experiment: str
    source: dict
    data_parallel: bool
    again: bool
    versions: dict[str, str]


@dataclasses.dataclass(frozen=True)
class Refused:
    """A node cannot train: the trial is for another one.

    Args:
        node: Ray's name of the node.
        reason: Why, with what tells the node from others.
    """

    node: str
    reason: str


def run(
    job: Job,
    data: DataSet | Source,
    actor: Any,
    weights: bytes | None,
) -> bytes | Refused:
    """Train a trial, from its last snapshot if there is one.

    Args:
        job: The trial.
        data: The data set, or what gives it on this node.
        actor: Handle of the `StorageActor`.
        weights: Content of the file of pre-trained weights, if the trial has one.

    Returns:
        The record's file, which the actor has written too; or that this node cannot
        train: it has joined later than the others were asked, or its disk is full.
    """
    import ray

    this = ray.get_runtime_context().get_node_id()
    address = ray.util.get_node_ip_address()
    if problem := _problem(job, data, address):
        return Refused(this, problem)
    key = job.trial.key
    record, snapshot = _answer(actor.begin.remote(key, job.again))
    if record is not None:
        return record
    try:
        # What killed processes have left is removed.
        with files.scratch_folder(Path(tempfile.gettempdir(), _SCRATCH)) as folder:
            try:
                return _train(job, data, actor, weights, Workdir(folder), snapshot)
            except ValueError as error:
                # Of a damaged file: the driver has it under the same name.
                raise ValueError(str(error).replace(f"{folder}{os.sep}", "")) from error
    except ray.exceptions.RayError:
        raise  # of the storage actor, not of this node
    except Exception as error:
        folder = tempfile.gettempdir()
        if (
            not files.is_of_full_disk(error)
            and shutil.disk_usage(folder).free > _FULL_BYTES
        ):
            raise
        _answer(actor.refused.remote(key))
        return Refused(this, f"{address}: the disk is full: {folder}")


def _problem(job, data, address):
    """Why this node cannot train; None where it can. Others were asked at the start."""
    try:
        found = describe(data if isinstance(data, Source) else None, job.versions)
    except (ImportError, OSError, ValueError) as error:
        return f"{address}: {error}"
    others = differences(job.versions, found)
    return f"{address} has {', '.join(others)}" if others else None


def _train(job, data, actor, weights, workdir, snapshot):
    trial = job.trial
    if isinstance(data, Source):
        data = load(data)
    if snapshot is not None:
        workdir.snapshot_path(trial).write_bytes(snapshot)
    if trial.parent is not None:
        model = _answer(actor.model.remote(trial.parent.key))
        workdir.model_path(trial.parent).write_bytes(model)
    if weights is not None:
        file = workdir.path / Path(trial.network.weights).name
        file.write_bytes(weights)
        network = dataclasses.replace(trial.network, weights=file)
        trial = dataclasses.replace(trial, network=network)

    def report(event):
        content = workdir.snapshot_path(trial).read_bytes()
        _answer(actor.save.remote(trial.key, content, event))

    train(trial, data, workdir, job.experiment, report, job.data_parallel, job.source)
    model = workdir.model_path(trial).read_bytes()
    record = workdir.record_path(trial).read_bytes()
    return _answer(actor.finish.remote(trial.key, model, record))


def _answer(reference):
    """What the storage actor answers, while this task keeps its cores.

    Ray gives the cores of a task that waits in its main thread to another one, and so
    more trials would train than there are cores.
    """
    import ray

    with futures.ThreadPoolExecutor(1) as thread:
        return thread.submit(ray.get, reference).result()
