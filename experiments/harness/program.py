"""The program that a declared experiment becomes."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from absl import app, logging
from absl.flags import FLAGS

from experiments.harness import display, flags, multi_host, preparation
from experiments.harness.config import Config
from experiments.harness.experiment import Experiment, Table
from experiments.harness.page import check_output, joined, publish
from experiments.sweep import cluster, grid
from experiments.sweep.options import ClusterError
from experiments.sweep.progress import Schedule
from experiments.sweep.source import Source
from experiments.sweep.storage import StorageError
from experiments.sweep.workdir import Workdir
from experiments.trials import records
from experiments.trials.binding import json_ready
from experiments.trials.trial import Trial
from mobilenet_tf import arguments
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.hosts import Cluster
from mobilenet_tf.training import precision


def run(experiment: Experiment | Table) -> None:
    """Run a script as a program."""
    flags.define()
    app.run(lambda command: execute(experiment, command))


def execute(experiment: Experiment | Table, command: Sequence[str]) -> None:
    """Run a program with its parsed flags; an error becomes a line and exit code 1.

    Args:
        experiment: What the script declares.
        command: What is left of the command line without its flags: the program's name.
    """
    logging.set_verbosity(logging.WARNING)  # TFDS reports every file it opens
    try:
        arguments.only_flags(command)
        main(experiment, experiment.config.from_flags(FLAGS))
    except (ClusterError, ImportError, OSError, StorageError, ValueError) as error:
        message = flags.in_terms_of_flags(str(error), experiment.config)
        sys.exit(f"{experiment.name}: error: {message}")


def main(experiment: Experiment | Table, config: Config) -> None:
    """Train what is not trained yet; print the tables and write them to their files.

    Args:
        experiment: What the script declares.
        config: What the command line says.

    Raises:
        ValueError: A flag does not fit; nothing has been trained.
        ClusterError: The cluster cannot be used, is lost, or a trial fails on it.
        StorageError: The storage cannot be read or written.
    """
    trains = isinstance(experiment, Experiment)
    if config.dry_run:
        if trains and config.arrays:
            config.load_data()  # writes the file
        print(experiment.counted(config))
        return
    if not trains and experiment.answer and (parts := experiment.answer(config)):
        print(joined(*parts))
        return
    workdir = None
    if trains and not config.render:
        experiment.networks(config)  # an error of --only comes before any folder
        workdir = Workdir(config.workdir)
        records.read(workdir.path / "records")  # damaged ones come before any training
    check_output(config)
    data = None
    if workdir is not None:
        chosen = precision.choose(config.precision)
        config = dataclasses.replace(config, precision=chosen)
        with multi_host.joined(config) as hosts:
            first = hosts is None or hosts.first
            with workdir.locked() if first else contextlib.nullcontext():
                data = train(experiment, config, workdir, hosts)
        if not first:
            return  # the first host shows the tables
    publish(experiment.pages(config, data), config)


def train(
    experiment: Experiment,
    config: Config,
    workdir: Workdir,
    hosts: Cluster | None = None,
) -> DataSet:
    """Train all networks of an experiment; returns the data set.

    Args:
        experiment: Names the networks.
        config: Everything else; its precision is not "auto".
        workdir: Where snapshots, models and records are kept.
        hosts: The hosts that train each network together.
    """
    options = config.cluster_options
    if options is not None:
        cluster.check(options)  # loading the data may take long
    networks = experiment.networks(config)
    with preparation.shown(config):
        data = config.load_data()
    metadata = json_ready(data.metadata.to_json())
    for network in networks:  # an error here comes before any work
        network.check(data.classes, metadata["base_resolution"])
    recipe = config.training_recipe
    trials = [
        Trial(network, recipe, metadata, seed, config.precision)
        for network in networks
        for seed in range(config.seeds)
    ]
    if hosts is not None and not hosts.first:
        multi_host.train(hosts, trials, data, workdir, experiment.name, _ignore)
        return data
    parallel = config.data_parallel
    with display.create(Schedule(grid.in_order(trials), workdir)) as shown:
        if hosts is not None:
            multi_host.train(hosts, trials, data, workdir, experiment.name, shown.show)
        elif options is None:
            grid.run(
                trials,
                data,
                workdir,
                experiment.name,
                data_parallel=parallel,
                report=shown.show,
            )
        else:
            cluster.run(
                trials,
                data,
                workdir,
                experiment.name,
                options,
                _source(config, metadata),
                data_parallel=parallel,
                report=shown.show,
                message=shown.message,
            )
    return data


def _source(config, metadata):
    """Where a node gets the data set; its working directory is another one."""
    if config.data_dir is not None:
        folder = str(Path(config.data_dir).absolute())
        config = dataclasses.replace(config, data_dir=folder)
    return Source(_load_prepared, config, metadata)


def _load_prepared(config):
    """All nodes would download or draw it at once, some of them into one folder."""
    return config.load_data(lambda line: None, download=False)


def _ignore(event):
    """The first host shows what all of them train."""
