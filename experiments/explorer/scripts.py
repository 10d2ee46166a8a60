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
    """Each `(experiment, row)` that trains a network; those of a script come first."""
    declared = sorted(all_experiments(), key=lambda other: other.name != first)
    for experiment in declared:
        for row in experiment.rows_of(config):
            if row.trained and row.network.key == network_key:
                yield experiment, row


def published_rows() -> Iterator[tuple[Experiment, Row]]:
    """The rows of all tables that stand for ImageNet accuracies of a paper."""
    for experiment in all_experiments():
        if experiment.paper_data == "ImageNet":
            for row in experiment.rows_of(Config()):
                if row.published.top1 is not None:
                    yield experiment, row
