"""One command on several hosts, which train each network together."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from experiments.harness.config import Config
from experiments.sweep import grid
from experiments.sweep.events import Event
from experiments.sweep.trainer import train as train_trial
from experiments.sweep.workdir import Workdir
from experiments.trials.trial import Trial
from mobilenet_tf import files, hosts
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.hosts import sources
from mobilenet_tf.training import distribution

# Flags that each host has its own of.
_OWN = ("workdir", "results", "tables_dir", "documents", "data_dir", "arrays")
_OF_READING = ("data_mode", "memory_budget_gib", "host_index", "hosts_wait")
_PACKAGE = Path(__file__).parents[1]


@contextlib.contextmanager
def joined(config: Config) -> Iterator[hosts.Cluster | None]:
    """Connect with the other hosts of a configuration; None where it has none.

    Raises:
        ValueError: A flag does not fit, or is another one on another host.
        HostError: A host does not come, or fails, now or inside.
    """
    if not config.hosts:
        yield None
        return
    if config.cluster_options is not None:
        raise ValueError("hosts must not be given with cluster= or workers=")
    chosen = hosts.parse(config.hosts, config.host_index)
    with hosts.joined(chosen, config.hosts_wait) as cluster:
        flags = dataclasses.asdict(config)
        shared = {name: flags[name] for name in flags if name not in _OWN + _OF_READING}
        shared["mobilenet_weights"] = list(map(_content, config.mobilenet_weights))
        shared["squeezenet_weights"] = _content(config.squeezenet_weights)
        cluster.agree("flags", {f"--{name}": shared[name] for name in shared})
        # The library compares its own.
        cluster.agree("code", {"experiments": sources.digest(_PACKAGE)})
        with distribution.scope(True):
            recipe = config.training_recipe
            distribution.check(recipe, recipe.batch_size)
        yield cluster


def train(
    cluster: hosts.Cluster,
    trials: Sequence[Trial],
    data: DataSet,
    workdir: Workdir,
    experiment: str,
    report: Callable[[Event], None],
) -> None:
    """Train every trial that the first host has no record of.

    Args:
        cluster: All hosts.
        trials: The grid.
        data: The data set of all trials, in every host.
        workdir: Where the first host keeps snapshots, models and records.
        experiment: Name of the experiment, written into the records.
        report: Called after every epoch and at the end of every trial.

    Raises:
        ValueError: The hosts have different data, or a trial needs another one's model,
            which only the first host has.
    """
    for trial in trials:
        if trial.parent is not None:
            raise ValueError(
                "hosts cannot train networks with a teacher or with compression steps, "
                f"such as {trial.network.label!r}; choose others with only="
            )
    cluster.agree("data set", data.metadata.to_json())
    ordered = {trial.key: trial for trial in grid.in_order(trials)}
    missing = [trial.key for trial in grid.missing(list(ordered.values()), workdir)]
    to_train = [ordered[key] for key in cluster.of_first(missing)]
    with distribution.scope(True):
        for trial in to_train:
            recipe = trial.training_recipe
            distribution.check(recipe, recipe.batch_of(_images(trial, data)))
    for trial in to_train:
        record = train_trial(trial, data, workdir, experiment, report, True)
        if record is not None:  # only the first host has it
            report(grid.ending(trial, record))


def _content(path):
    """What is the same for equal files of weights, wherever they are."""
    return files.digest(path) if path and Path(path).is_file() else path


def _images(trial, data):
    """How many images a network is trained on; a class may have fewer than asked."""
    per_class = trial.network.images_per_class
    return data.train.size if per_class is None else per_class * data.classes
