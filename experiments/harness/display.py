"""Progress of the training on screen: a live display, or plain lines.

A terminal gets one live display of the whole grid; a file or a pipe gets a line per
epoch.
"""

from __future__ import annotations

import datetime
import sys
import threading
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, Self

from experiments.sweep.events import Event
from experiments.sweep.progress import Schedule
from mobilenet_tf.packages import require

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID


class Display(AbstractContextManager, Protocol):
    """Shows the progress of a grid; safe to call from several threads."""

    def show(self, event: Event) -> None:
        """Show an epoch of a trial, or its end."""

    def message(self, text: str) -> None:
        """Show a line of text."""


def terminal() -> Console:
    """The standard output as rich knows it.

    Raises:
        ImportError: rich is not installed.
    """
    (rich,) = require("rich.console", extra="experiments", purpose="the display")
    return rich.Console(highlight=False)


def create(schedule: Schedule) -> Display:
    """The live display if the standard output is a terminal, otherwise plain lines."""
    console = terminal()
    if console.is_terminal:
        return LiveDisplay(schedule, console)
    return LineDisplay(schedule)


class LineDisplay:
    """A line per epoch, with the time left, for files, pipes and automatic tests.

    Args:
        schedule: The grid.
    """

    def __init__(self, schedule: Schedule):
        self._schedule = schedule
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error) -> None:
        sys.stdout.flush()

    def show(self, event: Event) -> None:
        """Print a line."""
        schedule = self._schedule
        with self._lock:
            schedule.update(event)
            trial = schedule.trials[event.trial]
            if event.done:
                self._print(ending(schedule, event))
                return
            self._print(
                f"[{schedule.trials_done}/{len(schedule.trials)} trials] "
                f"{trial.title}: epoch {event.epoch}/{trial.training_recipe.epochs}, "
                f"loss {event.loss:.3f}, training top-1 {100 * event.top1:.1f} %"
                f"{_time_left(schedule)}"
            )

    def message(self, text: str) -> None:
        """Print a line."""
        with self._lock:
            self._print(text)

    @staticmethod
    def _print(text):
        print(text, flush=True)


class LiveDisplay:
    """A bar for the whole grid, and one for each running trial, with the time left.

    Args:
        schedule: The grid.
        console: The terminal.
    """

    def __init__(self, schedule: Schedule, console: Console):
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._schedule = schedule
        self._lock = threading.Lock()
        self._tasks: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=console,
            speed_estimate_period=3600,  # epochs may take minutes
        )
        self._grid = self._progress.add_task("", total=schedule.total_work, note="")
        self._update_grid()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *error) -> None:
        self._progress.stop()

    def show(self, event: Event) -> None:
        """Update the bars; a trial that is done leaves a line above them."""
        with self._lock:
            self._schedule.update(event)
            trial = self._schedule.trials[event.trial]
            if event.trial not in self._tasks:
                self._tasks[event.trial] = self._progress.add_task(
                    trial.title,
                    total=trial.training_recipe.epochs,
                    note="",
                )
            task = self._tasks[event.trial]
            if event.done:
                self._progress.remove_task(task)
                del self._tasks[event.trial]
                self._progress.console.print(ending(self._schedule, event))
            else:
                self._progress.update(
                    task,
                    completed=event.epoch,
                    note=f"loss {event.loss:.3f}, top-1 {100 * event.top1:.1f} %",
                )
            self._update_grid()

    def message(self, text: str) -> None:
        """Print a line above the bars."""
        self._progress.console.print(text)

    def _update_grid(self):
        schedule = self._schedule
        self._progress.update(
            self._grid,
            description=f"{schedule.trials_done} of {len(schedule.trials)} trials done",
            completed=schedule.work_done,
        )


def _time_left(schedule):
    """What follows a line about an epoch; an epoch done again says nothing."""
    seconds = schedule.seconds_left
    if seconds is None:
        return ""
    return f", {datetime.timedelta(seconds=round(seconds))} left in all"


def ending(schedule: Schedule, event: Event) -> str:
    """The line about a trial that is done."""
    title = schedule.trials[event.trial].title
    return f"{title} done: top-1 {100 * event.top1:.2f} % in {event.seconds:.0f} s"
