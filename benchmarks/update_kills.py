"""A program that kills updates, and looks at what is left on the device.

    python update_kills.py CONFIG.json

It starts every update as a fork of itself, so that starting Python takes no time and
nearly all kills fall into the update. Keras is not imported, here as on a device.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks import forks

_MOST_KILLS = 24  # of a process that runs beside others
REPEAT_EVERY = 4  # kills, after which the update is done again, which takes longest
ROOT = Path(__file__).resolve().parents[1]
# What changes a folder, or waits for the disk; each is killed just before it happens.
_EVENTS = ("open", "os.link", "os.mkdir", "os.remove", "os.rename", "os.symlink")


def run_in_process(config: dict[str, Any]) -> dict[str, Counter[str]]:
    """Run the drills in a process that has imported nothing else.

    Args:
        config: `url` of the server, `image` of the self-test; `kills` at random
            moments in all; `every`, the distance of the file operations to kill at;
            `seed`; `processes` at a time; `classes`, what each network gives for the
            image by its SHA-256; `drills`, each with a `name`, a `device` (the
            network's file on a device, which is copied) and an `action`, "install" or
            "go_back".

    Returns:
        For each drill, at random moments and at file operations: how many `kills`
        there were, how often the `old` and the `new` network was in place and ran, and
        how often the device has `recovered`, by doing what was interrupted again.

    Raises:
        CalledProcessError: A network did not run, what was interrupted failed, or the
            kills at file operations have left the old network only, or the new one.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.json"
        path.write_text(json.dumps(config))
        done = subprocess.run(
            [sys.executable, "-P", __file__, path],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return json.loads(done.stdout.splitlines()[-1])


class Drill:
    """Kills one kind of update again and again.

    Args:
        config: See `run_in_process`.
        drill: One of its drills.
        folder: An empty folder for the device.
    """

    def __init__(self, config: dict[str, Any], drill: dict[str, Any], folder: Path):
        self._template = Path(drill["device"])
        self._path = folder / "device" / self._template.name
        self._done = folder / "done"  # is there once all operations are over
        self._url, self._image = config["url"], Path(config["image"])
        self._classes, self._action = config["classes"], drill["action"]
        self._old = self._digest_of(self._template)

    def at_random(self, kills: int, seed: int) -> Counter[str]:
        """Kill at moments that are spread evenly over the time of an update."""
        seconds = max(self._timed() for _ in range(3))
        moments, counts = random.Random(seed), Counter[str]()
        while counts["kills"] < kills:
            self._restore()
            process = forks.start(self._act)
            time.sleep(moments.uniform(0, seconds))
            os.killpg(process, signal.SIGKILL)
            if forks.was_killed(process):
                self._look(counts)
            else:
                counts["ended before"] += 1
        return counts

    def at_operations(self, every: int) -> Counter[str]:
        """Kill before the 1st, ... operation on the device's files, and after the last.

        So the new network must be in place at least once, and the old one too.
        """
        counts, operation = Counter[str](), 1
        while not self._done.exists():
            self._restore()
            process = forks.start(lambda: self._act_until(operation))  # noqa: B023
            if not forks.was_killed(process):
                raise RuntimeError(f"operation {operation}: nothing is killed")
            self._look(counts)
            operation += every
        if not (counts["old"] and counts["new"]):
            raise RuntimeError(f"kills leave one of two networks only: {dict(counts)}")
        return counts

    def _look(self, counts: Counter[str]) -> None:
        """Run the network that is in place; at times do again what was interrupted."""
        counts["kills"] += 1
        if forks.wait(forks.start(self._check_that_it_runs)) != 0:
            raise RuntimeError(f"kill {counts['kills']}: the network does not run")
        counts["old" if self._digest_of(self._path) == self._old else "new"] += 1
        if counts["kills"] % REPEAT_EVERY:
            return
        code = 0
        if self._digest_of(self._path) == self._old or self._action == "install":
            code = forks.wait(forks.start(self._act))  # with its own self-test
        if code != 0 or self._digest_of(self._path) == self._old:
            raise RuntimeError(f"kill {counts['kills']}: the same again fails")
        counts["recovered"] += 1

    def _act(self) -> None:
        from mobilenet_tf import update

        if self._action == "install":
            update.install(self._path, self._url, seconds=60)
        else:
            update.go_back(self._path)

    def _act_until(self, operation: int) -> None:
        """Do it, and die before an operation on the device's files, or after the last.

        Of the files that are opened, those count that are written, and folders: a
        folder is opened to wait until what was renamed in it is on the disk.
        """
        left = operation

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal left
            if event not in _EVENTS or not _below(self._path.parent, arguments[0]):
                return
            if event == "open":
                path, _, flags = arguments
                written = flags & (os.O_WRONLY | os.O_RDWR)
                if not (written or Path(path).is_dir()):
                    return
            left -= 1
            if not left:
                os.killpg(os.getpgrp(), signal.SIGKILL)

        sys.addaudithook(hook)
        self._act()
        self._done.touch()
        os.killpg(os.getpgrp(), signal.SIGKILL)

    def _check_that_it_runs(self) -> None:
        from mobilenet_tf.update import self_test_process

        best = self_test_process.main(self._path, self._image)["best"]
        if best != self._classes[self._digest_of(self._path)]:
            raise RuntimeError("the network gives another class than it should")

    def _timed(self) -> float:
        self._restore()
        start = time.monotonic()
        if forks.wait(forks.start(self._act)) != 0:
            raise RuntimeError("an update that is not killed fails")
        return time.monotonic() - start

    def _restore(self) -> None:
        shutil.rmtree(self._path.parent, ignore_errors=True)
        shutil.copytree(self._template.parent, self._path.parent, symlinks=True)

    @staticmethod
    def _digest_of(path: Path) -> str:
        from mobilenet_tf import files

        return files.digest(path)


def _below(folder: Path, path: Any) -> bool:
    return isinstance(path, str | Path) and str(path).startswith(str(folder))


def main(config: dict[str, Any]) -> dict[str, Counter[str]]:
    """All drills; see `run_in_process`."""
    for module in (
        *("ai_edge_litert.interpreter", "mobilenet_tf.codec"),
        *("mobilenet_tf.update", "mobilenet_tf.update.self_test_process"),
    ):
        importlib.import_module(module)  # once, for all forks
    jobs = []
    for drill in config["drills"]:
        left = config["kills"] // len(config["drills"])
        jobs.append((config, drill, None, 0))
        while left:
            jobs.append((config, drill, min(left, _MOST_KILLS), len(jobs)))
            left -= jobs[-1][2]
    # An update waits for the disk, the server and its self-test: many run at once.
    with multiprocessing.get_context("fork").Pool(config["processes"]) as pool:
        results: dict[str, Counter[str]] = {}
        for kind, counts in pool.starmap(_run, jobs, chunksize=1):
            results.setdefault(kind, Counter()).update(counts)
    return results


def _run(config, drill, kills, number):
    """A number of random kills, or, for None, kills at file operations."""
    with tempfile.TemporaryDirectory() as folder:
        runner = Drill(config, drill, Path(folder))
        if kills is None:
            return f"{drill['name']}, at a file operation", runner.at_operations(
                config["every"]
            )
        seed = config["seed"] + number
        return f"{drill['name']}, at a random moment", runner.at_random(kills, seed)


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text()))))
