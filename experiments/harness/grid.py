"""Train every point of a grid, in one process or several, with an estimate of the end.

Processes share a grid through locks on the points: whoever finds a point free trains
it. So a second copy of a command helps the first one, and a killed one is resumed by
the next that comes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence

from experiments.harness.trainer import train
from experiments.harness.workdir import Workdir
from experiments.trials.trial import Point
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.training.loop import Progress

POLL_SECONDS = 2.0


def run(
    points: Sequence[Point],
    data: DataSet,
    workdir: Workdir,
    experiment: str,
    *,
    workers: int = 1,
    data_parallel: bool = False,
    report: Callable[[str], None] = print,
) -> None:
    """Train every point that is not done, and before it what it is made from.

    The points that take longest come first, so that several processes end together.
    What another process trains is waited for only where a point of this one needs it.

    Args:
        points: The grid.
        data: The data set of all points.
        workdir: Where snapshots, models and records are kept.
        experiment: Written into the records.
        workers: How many processes share the grid, for the estimate.
        data_parallel: Split each batch over all devices.
        report: Called with a line after every epoch.
    """
    points = in_order(points)
    pending = missing(points, workdir)
    clock = _Clock(pending, len(points), workdir, workers)

    def train_one(point):
        def on_epoch(progress):
            report(clock.line(point, progress))

        clock.begin(workdir.epochs_done(point))
        record = train(point, data, workdir, experiment, on_epoch, data_parallel)
        report(
            f"{_title(point)} done: top-1 {100 * record['metrics']['top1']:.2f} % "
            f"in {record['seconds']:.0f} s"
        )

    while pending := [point for point in pending if not workdir.usable(point)]:
        waiting, trained = [], False
        for point in pending:
            before = point.before
            if before is not None and not workdir.usable(before):
                waiting.append(point)
                continue
            with workdir.lock(point) as free:
                # Another process may have finished it between the two looks.
                if free and not workdir.usable(point):
                    train_one(point)
                    trained = True
        needed = {point.before.key for point in waiting}
        pending = [point for point in pending if point.key in needed] + waiting
        if pending and not trained:
            time.sleep(POLL_SECONDS)


def in_order(points: Sequence[Point]) -> list[Point]:
    """The points and all that must be trained before them, each once.

    The longest come first, but none before what it is made from.
    """
    levels = {}
    named = {point.key: point for point in points}  # by the labels of their rows

    def enter(point):
        point = named.get(point.key, point)
        before = point.before
        level = 0 if before is None else enter(before) + 1
        levels[point.key] = (level, -point.work_per_epoch, point)
        return level

    for point in points:
        enter(point)
    return [one[2] for one in sorted(levels.values(), key=lambda one: one[:2])]


def missing(points: Sequence[Point], workdir: Workdir) -> list[Point]:
    """Of points in order, those to train: they have no record.

    One that has is trained again where its network is lost and another is made from it.
    """
    found, needed = [], set()
    for point in reversed(points):
        lost = point.key in needed and not workdir.usable(point)
        if lost or not workdir.done(point):
            found.insert(0, point)
            if point.before is not None:
                needed.add(point.before.key)
    return found


class WorkerError(Exception):
    """A worker process ended with an error, which it has printed."""


def spawn_workers(count: int) -> None:
    """Run this command in `count` processes that share the grid and the cores.

    Raises:
        WorkerError: A process failed; the others have gone on to the end.
    """
    threads = str(max(1, len(os.sched_getaffinity(0)) // count))
    environment = {
        **os.environ,
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": threads,
        "OMP_NUM_THREADS": threads,
    }
    command = [sys.executable, *_this_program(), *sys.argv[1:]]
    command.append(f"--worker_of={os.getpid()}")
    workers = [subprocess.Popen(command, env=environment) for _ in range(count)]
    try:
        codes = [worker.wait() for worker in workers]
    except BaseException:
        for worker in workers:
            worker.terminate()
        raise
    if any(codes):
        raise WorkerError(f"a worker failed, see above; exit codes {codes}")


def end_with(parent: int) -> None:
    """End this worker as soon as the program that started it is gone.

    Else it would hold its point while the same command, given again, passes it by.
    """

    def watch():
        while os.getppid() == parent:
            time.sleep(POLL_SECONDS / 4)
        print("the program that started this worker is gone", file=sys.stderr)
        os._exit(1)  # all files appear by rename

    threading.Thread(target=watch, daemon=True).start()


def _this_program():
    module = sys.modules["__main__"].__spec__
    return ["-m", module.name] if module else [sys.argv[0]]


def _title(point: Point) -> str:
    return f"{point.network.label}, {point.costs['side']} px, seed {point.seed}"


class _Clock:
    """Estimates the time left from the work done since this process began."""

    def __init__(self, points, total, workdir, workers):
        self.points, self.total = points, total
        self.workdir, self.workers = workdir, workers
        self.started = time.monotonic()
        self.work_done = 0.0
        self.epochs_seen = 0

    def begin(self, epochs_done):
        self.epochs_seen = epochs_done

    def line(self, point: Point, progress: Progress) -> str:
        self.work_done += point.work_per_epoch * (progress.epoch - self.epochs_seen)
        self.epochs_seen = progress.epoch
        speed = self.work_done / (time.monotonic() - self.started)
        epochs = point.training_recipe.epochs
        this = point.work_per_epoch * (epochs - progress.epoch) / speed
        pending = sum(not self.workdir.usable(other) for other in self.points)
        left = sum(
            other.work_per_epoch
            * (other.training_recipe.epochs - self.workdir.epochs_done(other))
            for other in self.points
        )
        last = progress.history[-1]
        return (
            f"[{self.total - pending}/{self.total} points] {_title(point)}: "
            f"epoch {progress.epoch}/{epochs}, loss {last['loss']:.3f}, "
            f"training top-1 {100 * last['top1']:.1f} %, "
            f"left {_duration(this)}, grid {_duration(left / speed / self.workers)}"
        )


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
