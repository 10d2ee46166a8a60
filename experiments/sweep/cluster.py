"""Train the trials of a grid as tasks of Ray, on this machine or on a cluster.

A trial is a task, not a trial of Ray Tune: what Tune adds to tasks is the search for
settings and the stopping of bad ones, and a grid has neither. It has what Tune lacks:
trials that wait for the model of another one, and records that say what is done, so
that a sweep needs no state of its own to go on. Ray's scheduler, object store and
retries are the same for both.

Data are sent to each node once through the object store, or are opened there if they
are streamed. A task trains in a temporary folder of its node and sends its snapshot to
the storage actor after every epoch. If its process or its node dies, Ray runs it again
where there is room, and it goes on from the last snapshot.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import keras

import mobilenet_tf
from experiments.sweep import grid, session
from experiments.sweep.events import Event
from experiments.sweep.node import Job
from experiments.sweep.options import LOCAL, ClusterError, Needs, Options
from experiments.sweep.source import Source, describe, differences, versions
from experiments.sweep.storage import Storage
from experiments.sweep.stored import Stored
from experiments.sweep.tasks import Tasks, reason
from experiments.sweep.workdir import Workdir
from experiments.trials import records
from experiments.trials.provenance import commit
from experiments.trials.trial import Trial
from mobilenet_tf.data.arrays import ArraySplit
from mobilenet_tf.data.dataset import DataSet

_LIMIT = 300  # seconds in which a node must open its data set


def run(
    trials: Sequence[Trial],
    data: DataSet,
    workdir: Workdir,
    experiment: str,
    options: Options,
    source: Source,
    *,
    data_parallel: bool = False,
    report: Callable[[Event], None],
    message: Callable[[str], None],
) -> None:
    """Train every trial that is not done, and before it the trials it depends on.

    Args:
        trials: The grid.
        data: The data set of all trials.
        workdir: Where the records come to; models and snapshots too, unless the
            options name a storage.
        experiment: Name of the experiment, written into the records.
        options: Which cluster.
        source: Gives the data set on a node, if it is not in memory.
        data_parallel: Split each batch over all devices of a node.
        report: Called after every epoch and at the end of every trial.
        message: Called with a line about what a user should know.

    Raises:
        ClusterError: The cluster cannot be used, is lost, or a trial fails on it.
        ImportError: Ray is not installed.
        StorageError: The storage cannot be read or written.
    """
    finished: grid.Finished = workdir
    storage = Storage(options.storage or str(workdir.path))
    ordered = grid.in_order(trials)
    if options.storage is not None:
        finished = Stored(storage, workdir, ordered)
    missing = grid.missing(ordered, finished)
    if not missing:
        return
    arrays = [data.train, data.evaluation]
    in_memory = all(isinstance(split, ArraySplit) for split in arrays)
    size = sum(_bytes(split) for split in arrays) if in_memory else 0
    modules, code = _modules(missing), commit()
    expected = expected_versions()
    with session.connected(options, workdir.path, size, modules) as needs:
        if options.address != LOCAL:
            check_nodes(needs, None if in_memory else source, expected)
        tasks = Tasks(
            missing,
            data if in_memory else source,
            storage.url,
            needs,
            lambda trial: Job(
                trial, experiment, code, data_parallel, finished.done(trial), expected
            ),
        )
        for trial, record in tasks.finished(report, message):
            if options.storage is not None:
                records.write(workdir.record_path(trial), record)
            report(grid.ending(trial, record))


def check(options: Options) -> None:
    """Check what can be known before there are trials.

    Raises:
        ClusterError: The cluster does not answer.
        ImportError: Ray is not installed.
        StorageError: The storage cannot be read or written.
    """
    session.check(options)
    if options.storage is not None:
        Storage(options.storage).check()


def expected_versions() -> dict[str, str]:
    """The versions of this process, which a node must have to train its trials."""
    return versions(("keras", "numpy", keras.backend.backend()))


def _bytes(split):
    contents = split.contents
    return contents.images.nbytes + contents.aspects.nbytes + contents.labels.nbytes


def _modules(trials):
    """What is sent to nodes: this project's packages, and others that have builders."""
    packages = [Path(__file__).parents[1], Path(mobilenet_tf.__file__).parent]
    installed = Path(keras.__file__).parents[1]
    functions = [
        function
        for trial in trials
        for network in trial.network.lineage
        for function in (network.build, *(step.function for step in network.steps))
    ]
    for function in functions:
        module = getattr(function, "func", function).__module__
        file = Path(sys.modules[module.partition(".")[0]].__file__).resolve()
        path = file.parent if file.name == "__init__.py" else file
        if path not in packages and not path.is_relative_to(installed):
            packages.append(path)
    return packages


def check_nodes(
    needs: Needs, source: Source | None, expected: Mapping[str, str]
) -> None:
    """Check that all nodes with room for a trial can train it.

    Args:
        needs: What a trial takes.
        source: Gives the data set on a node; None where it is sent there.
        expected: The versions of this process.

    Raises:
        ClusterError: Versions differ from those of this process, or a node lacks the
            data set; the message names the nodes.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    task = ray.remote(num_cpus=0, max_retries=0)(describe)
    answers = {
        task.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(
                described["NodeID"], soft=False
            )
        ).remote(source, tuple(expected)): described["NodeManagerAddress"]
        for described in session.alive(ray)
        if needs.fit(described["Resources"])
    }
    ready, late = ray.wait(list(answers), num_returns=len(answers), timeout=_LIMIT)
    problems = [f"{answers[ref]} does not answer in {_LIMIT} seconds" for ref in late]
    for ref in ready:
        try:
            found = ray.get(ref)
        except ray.exceptions.RayError as error:
            problems.append(f"{answers[ref]}: {reason(error)}")
            continue
        others = differences(expected, found)
        problems += [f"{answers[ref]} has {other}" for other in others]
    if problems:
        raise ClusterError("nodes cannot train: " + "; ".join(sorted(problems)))
