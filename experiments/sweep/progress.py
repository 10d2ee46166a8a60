"""How far every trial of a grid is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from experiments.sweep.events import Event
from experiments.sweep.workdir import Workdir
from experiments.trials.trial import Trial


class Schedule:
    """How far every trial of a grid is.

    Args:
        trials: All trials of the grid.
        workdir: Where they are kept; it says what an earlier run has done.
        clock: Seconds since any moment.
    """

    def __init__(
        self,
        trials: Sequence[Trial],
        workdir: Workdir,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.trials = {trial.key: trial for trial in trials}
        self._epochs = {key: workdir.epochs_done(t) for key, t in self.trials.items()}
        self._done = {key for key, t in self.trials.items() if workdir.done(t)}
        self._clock = clock
        self._began, self._done_before = clock(), self.work_done

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
    def seconds_left(self) -> float | None:
        """What the rest takes at the pace until now; None before the first epoch."""
        done = self.work_done - self._done_before
        if done <= 0:
            return None
        seconds = self._clock() - self._began
        return seconds * (self.total_work - self.work_done) / done

    @property
    def trials_done(self) -> int:
        """The number of trials with a record."""
        return len(self._done)
