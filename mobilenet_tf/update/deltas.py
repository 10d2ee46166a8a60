"""Deltas between versions, made and applied by the codec."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mobilenet_tf.update import files


def make(old: Path, new: Path, delta: Path, report: Callable[[str], None]) -> bool:
    """Write a delta, and apply it to see that it gives the new file.

    Args:
        old: The file that devices have.
        new: The file that they are to get.
        delta: The file to write.
        report: Gets a line of text where there is no delta, with the reason.

    Returns:
        Whether there is one, and it is smaller than the new file.

    Raises:
        ImportError: The codec's packages are not installed.
    """
    from mobilenet_tf import codec

    again = delta.with_name("applied")
    try:
        codec.delta(old, new, delta)
        codec.apply(old, delta, again)
    except ValueError as error:
        report(f"no delta from {old.name}: {error}")
        return False
    try:
        if files.digest(again) != files.digest(new):
            raise RuntimeError(f"the delta from {old} does not give {new}")
        if delta.stat().st_size >= new.stat().st_size:
            report(f"no delta from {old.name}: the whole file is as small")
            return False
        return True
    finally:
        again.unlink()


def apply(old: Path, delta: Path, output: Path) -> None:
    """Rebuild the new file.

    Raises:
        ImportError: The codec's packages are not installed.
        ValueError: The delta was made for another file, or is damaged.
    """
    from mobilenet_tf import codec

    codec.apply(old, delta, output)
