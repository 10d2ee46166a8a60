"""Forks of this process, each in a process group of its own, which can be killed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable


def start(function: Callable[[], None]) -> int:
    """Run a function in a fork; gives the process' number, which is its group's.

    What it prints is not shown. Its exit code is 1 where it raises an error.
    """
    process = os.fork()
    if process:
        # Both sides set it, so that it is set whoever comes first.
        os.setpgid(process, process)
        return process
    try:
        os.setpgid(0, 0)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        function()
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def wait(process: int) -> int:
    """Wait for a process: its exit code, or the negative number of a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def was_killed(process: int) -> bool:
    """Wait for a process that is killed with SIGKILL or has ended before.

    Raises:
        RuntimeError: It has ended with an error.
    """
    code = wait(process)
    if code not in (0, -signal.SIGKILL):
        raise RuntimeError(f"what is to be killed ends with {code} before")
    return code != 0
