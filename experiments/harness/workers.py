"""Several processes that share a grid and the cores of one machine."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

from experiments.harness.display import Display
from experiments.harness.progress import Event
from mobilenet_tf.processor import usable_cores

POLL_SECONDS = 0.5


class WorkerError(Exception):
    """A worker process ended with an error, which it has printed."""


def run_workers(count: int, display: Display, precision: str) -> None:
    """Run this command in `count` processes that share the grid and the cores.

    Args:
        count: Number of processes.
        display: Shows what all of them report.
        precision: The precision of all workers.

    Raises:
        WorkerError: A process failed; the others have run to their end.
    """
    threads = str(max(1, usable_cores() // count))
    environment = {
        **os.environ,
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": threads,
        "OMP_NUM_THREADS": threads,
    }
    command = [sys.executable, *_this_program(), *sys.argv[1:]]
    command += [f"--precision={precision}", f"--worker_of={os.getpid()}"]
    workers = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(count)
    ]
    readers = [
        threading.Thread(target=_forward, args=(worker.stdout, display), daemon=True)
        for worker in workers
    ]
    for reader in readers:
        reader.start()
    try:
        codes = [worker.wait() for worker in workers]
    except BaseException:
        for worker in workers:
            worker.terminate()
        raise
    for reader in readers:
        reader.join()
    if any(codes):
        raise WorkerError(f"a worker failed, see above; exit codes {codes}")


def report_to_parent(event: Event) -> None:
    """Report an event to the program that started this worker."""
    try:
        print(event.to_line(), flush=True)
    except BrokenPipeError:  # the parent has ended, and `end_with` ends this worker
        time.sleep(10 * POLL_SECONDS)


def end_with(parent: int) -> None:
    """End this worker as soon as the program that started it has ended.

    Otherwise it would hold the lock of its trial while the same command, given again,
    passes the trial by.
    """

    def watch():
        while os.getppid() == parent:
            time.sleep(POLL_SECONDS)
        print("the program that started this worker has ended", file=sys.stderr)
        os._exit(1)  # all files appear by atomic rename

    threading.Thread(target=watch, daemon=True).start()


def _forward(stream, display):
    """Pass a worker's output to the display."""
    for line in stream:
        event = Event.from_line(line)
        if event is not None:
            display.show(event)
        elif line.strip():
            display.message(line.rstrip("\n"))


def _this_program():
    module = sys.modules["__main__"].__spec__
    return ["-m", module.name] if module else [sys.argv[0]]
