"""Locks on files and folders that end with the process, however it ends."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: without locks, nothing that is left is removed
    fcntl = None  # type: ignore[assignment]


@contextlib.contextmanager
def locked(path: Path, message: str) -> Iterator[None]:
    """Hold a lock, which ends with the process however it ends.

    Args:
        path: The lock's file.
        message: What to say where another process holds it.

    Raises:
        BlockingIOError: Another process holds it.
    """
    with path.open("a") as file:
        if acquire(file.fileno()) is False:
            raise BlockingIOError(message)
        yield


def opened(path: Path) -> int:
    """A descriptor to lock a file or folder with; NFS locks what can be written."""
    access = os.O_RDONLY if path.is_dir() else os.O_RDWR
    return os.open(path, access | getattr(os, "O_NOFOLLOW", 0))


def acquire(descriptor: int) -> bool | None:
    """Lock a file: whether it was free; None where the file system has no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
