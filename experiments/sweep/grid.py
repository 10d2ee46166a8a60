"""Which trials of a grid are to be trained, and training them in this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from experiments.sweep.events import Event
from experiments.sweep.trainer import train
from experiments.sweep.workdir import Workdir
from experiments.trials.trial import Trial
from mobilenet_tf.data.dataset import DataSet


class Finished(Protocol):
    """Knows which trials are finished; a `Workdir` does."""

    def done(self, trial: Trial) -> bool:
        """Whether a trial has a record."""

    def usable(self, trial: Trial) -> bool:
        """Whether a trial is done, and its model is still there for other trials."""


def run(
    trials: Sequence[Trial],
    data: DataSet,
    workdir: Workdir,
    experiment: str,
    *,
    data_parallel: bool = False,
    report: Callable[[Event], None],
) -> None:
    """Train every trial that is not done, and before it the trials it depends on.

    Args:
        trials: The grid.
        data: The data set of all trials.
        workdir: Where snapshots, models and records are kept.
        experiment: Name of the experiment, written into the records.
        data_parallel: Split each batch over all devices.
        report: Called after every epoch and at the end of every trial.
    """
    for trial in missing(in_order(trials), workdir):
        record = train(trial, data, workdir, experiment, report, data_parallel)
        report(ending(trial, record))


def in_order(trials: Sequence[Trial]) -> list[Trial]:
    """The trials and all that must be trained before them, each once.

    The longest come first, but none before its parent.
    """
    levels: dict[str, tuple[int, float, Trial]] = {}
    labelled = {trial.key: trial for trial in trials}  # a parent may have a row too

    def enter(trial):
        trial = labelled.get(trial.key, trial)
        parent = trial.parent
        level = 0 if parent is None else enter(parent) + 1
        levels[trial.key] = (level, -trial.work_per_epoch, trial)
        return level

    for trial in trials:
        enter(trial)
    return [entry[2] for entry in sorted(levels.values(), key=lambda entry: entry[:2])]


def missing(trials: Sequence[Trial], finished: Finished) -> list[Trial]:
    """Of trials in order, those to train: they have no record.

    One with a record is trained again if its model is lost and another trial needs it.
    """
    to_train, needed = [], set()
    for trial in reversed(trials):
        lost = trial.key in needed and not finished.usable(trial)
        if lost or not finished.done(trial):
            to_train.insert(0, trial)
            if trial.parent is not None:
                needed.add(trial.parent.key)
    return to_train


def ending(trial: Trial, record: dict) -> Event:
    """The event of a trial that has its record."""
    epochs, top1 = trial.training_recipe.epochs, record["metrics"]["top1"]
    return Event(trial.key, epochs, top1, seconds=record["seconds"])
