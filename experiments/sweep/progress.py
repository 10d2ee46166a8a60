"""How far every trial of a grid is."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.sweep.events import Event
from experiments.sweep.workdir import Workdir
from experiments.trials.trial import Trial


class Schedule:
    """How far every trial of a grid is.

    Args:
        trials: All trials of the grid.
        workdir: Where they are kept; it says what an earlier run has done.
    """

    def __init__(self, trials: Sequence[Trial], workdir: Workdir):
        self.trials = {trial.key: trial for trial in trials}
        self._epochs = {key: workdir.epochs_done(t) for key, t in self.trials.items()}
        self._done = {key for key, t in self.trials.items() if workdir.done(t)}

    def update(self, event: Event) -> None:
        """Take in what a training reports."""
        self._epochs[event.trial] = event.epoch
        if event.done:
            self._done.add(event.trial)

    @property
    def total_work(self) -> float:
        """Work of the whole grid, in the unit of `Trial.work_per_epoch`."""
        return sum(
            trial.work_per_epoch * trial.training_recipe.epochs
            for trial in self.trials.values()
        )

    @property
    def work_done(self) -> float:
        """Work of all epochs that are finished."""
        return sum(
            trial.work_per_epoch * self._epochs[key]
            for key, trial in self.trials.items()
        )

    @property
    def trials_done(self) -> int:
        """The number of trials with a record."""
        return len(self._done)
