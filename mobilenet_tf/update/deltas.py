"""Deltas between versions, made and applied by the codec."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def make(old: Path, new: Path, delta: Path, report: Callable[[str], None]) -> bool:
    """Write a delta, which the codec applies itself to see that it gives the new file.

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

    try:
        # The limit is that of `apply`, or no device would take the delta.
        sizes = codec.delta(old, new, delta, max_bytes=new.stat().st_size)
    except ValueError as error:
        report(f"no delta from {old.name}: {error}")
        return False
    if sizes.delta_bytes >= sizes.new_bytes:
        report(f"no delta from {old.name}: the whole file is as small")
        return False
    return True


def apply(old: Path, delta: Path, output: Path, size: int) -> None:
    """Rebuild the new file.

    Args:
        old: The file that the delta was made for.
        delta: The delta.
        output: The new file.
        size: Its size in bytes; a delta that gives more is refused.

    Raises:
        ImportError: The codec's packages are not installed.
        ValueError: The delta was made for another file, or is damaged.
    """
    from mobilenet_tf import codec

    codec.apply(old, delta, output, max_bytes=size)
