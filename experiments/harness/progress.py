"""Progress of a grid: events of trials, and the time that is left."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Sequence
from typing import Self

from experiments.harness.workdir import Workdir
from experiments.trials.trial import Trial


@dataclasses.dataclass(frozen=True)
class Event:
    """An epoch of a trial, or its end.

    Attributes:
        trial: Key of the trial.
        epoch: Epochs finished.
        top1: Accuracy as a fraction: of the training data, or, at the end, of the
            validation data.
        loss: Training loss; None at the end.
        seconds: Seconds of training; None before the end.
    """

    trial: str
    epoch: int
    top1: float
    loss: float | None = None
    seconds: float | None = None

    @property
    def done(self) -> bool:
        """Whether the trial has a record."""
        return self.seconds is not None

    def to_line(self) -> str:
        """The event as a line of text, for another process."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_line(cls, line: str) -> Self | None:
        """The event that a line holds; None for any other text."""
        if not line.startswith('{"trial"'):
            return None
        return cls(**json.loads(line))


class Schedule:
    """Progress of a grid, and the time left.

    The estimate is made from the work that all processes have done since it began.

    Args:
        trials: All trials of the grid.
        workdir: Where they are kept.
    """

    def __init__(self, trials: Sequence[Trial], workdir: Workdir):
        self.trials = {trial.key: trial for trial in trials}
        self._workdir = workdir
        self._started = time.monotonic()
        self._epochs = dict.fromkeys(self.trials, 0)
        self.refresh()
        self._work_at_start = self.work_left()

    def refresh(self) -> None:
        """Look up how far every trial is, whichever process trains it."""
        for key, trial in self.trials.items():
            if self._epochs[key] < trial.training_recipe.epochs:
                self._epochs[key] = self._workdir.epochs_done(trial)

    @property
    def total_work(self) -> float:
        """Work of the whole grid, in the unit of `Trial.work_per_epoch`."""
        return sum(
            trial.work_per_epoch * trial.training_recipe.epochs
            for trial in self.trials.values()
        )

    def work_left(self, key: str | None = None) -> float:
        """Work left of a trial, or of the whole grid."""
        trials = self.trials.values() if key is None else [self.trials[key]]
        return sum(
            trial.work_per_epoch
            * (trial.training_recipe.epochs - self._epochs[trial.key])
            for trial in trials
        )

    def seconds_left(self) -> float | None:
        """Seconds until the whole grid is done; None before the first epoch is."""
        work_done = self._work_at_start - self.work_left()
        if work_done <= 0:
            return None
        return self.work_left() * (time.monotonic() - self._started) / work_done

    @property
    def trials_done(self) -> int:
        """The number of trials with a record."""
        return sum(self._workdir.done(trial) for trial in self.trials.values())


def duration(seconds: float | None) -> str:
    """Hours, minutes and seconds; a dash for None."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
