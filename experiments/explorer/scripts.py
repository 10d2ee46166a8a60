"""The scripts of `experiments` that train, and the rows of their tables."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import experiments
from experiments.harness import Config, Experiment, Row


def all_experiments() -> Iterator[Experiment]:
    """Every script's declaration that has rows of networks, by name."""
    for module in pkgutil.iter_modules(experiments.__path__):
        if module.ispkg or module.name.startswith("_"):
            continue
        script = importlib.import_module(f"experiments.{module.name}")
        if isinstance(script.experiment, Experiment):
            yield script.experiment


def rows_with(network_key: str, config: Config, first: str) -> Iterator[tuple]:
    """Each `(experiment, row)` that trains a network; those of a script come first.

    Rows that train it on the way, before further steps of compression, come last.
    """
    declared = sorted(all_experiments(), key=lambda other: other.name != first)
    rows = [
        (experiment, row)
        for experiment in declared
        for row in experiment.rows_of(config)
        if row.trained
    ]
    yield from (entry for entry in rows if entry[1].network.key == network_key)
    for experiment, row in rows:
        if network_key in (network.key for network in row.network.lineage):
            yield experiment, row


def published_rows() -> Iterator[tuple[Experiment, Row]]:
    """The rows of all tables that stand for ImageNet accuracies of a paper."""
    for experiment in all_experiments():
        if experiment.paper_data == "ImageNet":
            for row in experiment.rows_of(Config()):
                if row.published.top1 is not None:
                    yield experiment, row
