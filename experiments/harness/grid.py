"""Train every trial of a grid.

Processes share a grid through locks on the trials: whichever process finds a trial free
trains it. So a second copy of a command helps the first one, and a killed one is
resumed by the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from experiments.harness.progress import Event
from experiments.harness.trainer import train
from experiments.harness.workdir import Workdir
from experiments.trials.trial import Trial
from mobilenet_tf.data.dataset import DataSet

POLL_SECONDS = 2.0


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

    The trials that take longest come first, so that several processes end together.
    A trial that another process trains is waited for only if one of this process
    depends on it.

    Args:
        trials: The grid.
        data: The data set of all trials.
        workdir: Where snapshots, models and records are kept.
        experiment: Name of the experiment, written into the records.
        data_parallel: Split each batch over all devices.
        report: Called after every epoch and at the end of every trial.
    """
    pending = missing(in_order(trials), workdir)
    while pending := [trial for trial in pending if not workdir.usable(trial)]:
        waiting, trained = [], False
        for trial in pending:
            parent = trial.parent
            if parent is not None and not workdir.usable(parent):
                waiting.append(trial)
                continue
            with workdir.lock(trial) as free:
                # Another process may have finished it in the meantime.
                if free and not workdir.usable(trial):
                    train_one(trial, data, workdir, experiment, data_parallel, report)
                    trained = True
        needed = {trial.parent.key for trial in waiting}
        pending = [trial for trial in pending if trial.key in needed] + waiting
        if pending and not trained:
            time.sleep(POLL_SECONDS)


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


def missing(trials: Sequence[Trial], workdir: Workdir) -> list[Trial]:
    """Of trials in order, those to train: they have no record.

    One with a record is trained again if its model is lost and another trial needs it.
    """
    to_train, needed = [], set()
    for trial in reversed(trials):
        lost = trial.key in needed and not workdir.usable(trial)
        if lost or not workdir.done(trial):
            to_train.insert(0, trial)
            if trial.parent is not None:
                needed.add(trial.parent.key)
    return to_train


def train_one(
    trial: Trial,
    data: DataSet,
    workdir: Workdir,
    experiment: str,
    data_parallel: bool,
    report: Callable[[Event], None],
) -> None:
    """Train a trial, and report every epoch; the arguments are those of `run`."""

    def on_epoch(progress):
        last = progress.history[-1]
        report(Event(trial.key, progress.epoch, last["top1"], loss=last["loss"]))

    record = train(trial, data, workdir, experiment, on_epoch, data_parallel)
    if record is None:
        return
    report(
        Event(
            trial.key,
            trial.training_recipe.epochs,
            record["metrics"]["top1"],
            seconds=record["seconds"],
        )
    )
