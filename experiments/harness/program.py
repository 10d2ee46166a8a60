"""The program that a declared experiment becomes."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence

from absl import app, logging
from absl.flags import FLAGS

from experiments.harness import (
    display,
    flags,
    grid,
    preparation,
    together,
    workers,
)
from experiments.harness.config import Config
from experiments.harness.experiment import Experiment, Table
from experiments.harness.page import check_output, joined, publish
from experiments.harness.progress import Schedule
from experiments.harness.workdir import Workdir
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
    except (OSError, ValueError, workers.WorkerError) as error:
        message = flags.in_terms_of_flags(str(error))
        sys.exit(f"{experiment.name}: error: {message}")


def main(experiment: Experiment | Table, config: Config) -> None:
    """Train what is not trained yet; print the tables and write them to their files.

    Args:
        experiment: What the script declares.
        config: What the command line says.

    Raises:
        ValueError: A flag does not fit; nothing has been trained.
        WorkerError: A worker process failed.
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
    if config.worker_of:
        workers.end_with(config.worker_of)
    workdir = Workdir(config.workdir) if trains and not config.render else None
    check_output(config)
    data = cluster = None
    if workdir is not None:
        chosen = precision.choose(config.precision)
        config = dataclasses.replace(config, precision=chosen)
        with together.joined(config) as cluster:
            data = train(experiment, config, workdir, cluster)
    if not config.worker_of and (cluster is None or cluster.first):
        publish(experiment.pages(config, data), config)


def train(
    experiment: Experiment,
    config: Config,
    workdir: Workdir,
    cluster: Cluster | None = None,
) -> DataSet:
    """Train all networks of an experiment; returns the data set.

    A worker takes part in the grid of the program that started it.

    Args:
        experiment: Names the networks.
        config: Everything else; its precision is not "auto".
        workdir: Where snapshots, models and records are kept.
        cluster: The hosts that train each network together.
    """
    networks = experiment.networks(config)
    with preparation.shown(config):
        data = config.load_data(print if not config.worker_of else _ignore)
    metadata = json_ready(data.metadata.to_json())
    for network in networks:  # an error here comes before any work
        network.check(data.classes, metadata["base_resolution"])
    recipe = config.training_recipe
    trials = [
        Trial(network, recipe, metadata, seed, config.precision)
        for network in networks
        for seed in range(config.seeds)
    ]

    def run_grid(report):
        if cluster is not None:
            together.train(cluster, trials, data, workdir, experiment.name, report)
            return
        grid.run(
            trials,
            data,
            workdir,
            experiment.name,
            data_parallel=config.data_parallel,
            report=report,
        )

    if config.worker_of:
        run_grid(workers.report_to_parent)
        return data
    if cluster is not None and not cluster.first:
        run_grid(_ignore)
        return data
    schedule = Schedule(grid.in_order(trials), workdir)
    with display.create(schedule) as shown:
        if config.workers > 1 and grid.missing(grid.in_order(trials), workdir):
            # "auto" may depend on a measurement: it is made once, for all workers.
            workers.run_workers(config.workers, shown, config.precision)
        run_grid(shown.show)
    return data


def _ignore(line):
    pass
