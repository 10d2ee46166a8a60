"""Which bytes of a new file resemble which bytes of an old one.

A run is extended as long as at least half of the bytes are equal, as bsdiff does, so
that addresses and checksums which changed inside of it do not end it.
"""

from __future__ import annotations

import numpy as np

_SEED = 12  # equal bytes that begin a run
_WINDOW = 32
_MOST_SEEDS = 1 << 20


class Index:
    """Short strings of a file by their content.

    Args:
        content: The old file.
        ranges: The parts of it that are searched, as start and end.
    """

    def __init__(self, content: bytes, ranges: list[tuple[int, int]]):
        self._content = np.frombuffer(content, "uint8")
        total = sum(end - start for start, end in ranges)
        step = 1 + total // _MOST_SEEDS
        self._seeds: dict[bytes, int] = {}
        for start, end in ranges:
            for position in range(start, end - _SEED + 1, step):
                self._seeds.setdefault(content[position : position + _SEED], position)

    def runs(self, part: bytes, expected: int) -> list[tuple[int, int | None]]:
        """Cut a part of a new file into runs.

        Args:
            part: Bytes of the new file.
            expected: Where they probably are in the old one.

        Returns:
            Length, and where the run is in the old file, None where nowhere.
        """
        array, position, shift = np.frombuffer(part, "uint8"), 0, expected
        result: list[tuple[int, int | None]] = []
        unmatched = 0
        while position < len(part):
            length = self._similar(array, position, position + shift)
            if not length:
                seed = self._seeds.get(part[position : position + _SEED])
                if seed is not None:
                    shift = seed - position
                    length = self._similar(array, position, seed)
            if not length:
                unmatched, position = unmatched + 1, position + 1
                continue
            if unmatched:
                result.append((unmatched, None))
                unmatched = 0
            result.append((length, position + shift))
            position += length
        return [*result, *([(unmatched, None)] if unmatched else [])]

    def _similar(self, part, start, old):
        """Length of the run that begins here, 0 if its first bytes differ."""
        if old < 0 or old >= len(self._content) or part[start] != self._content[old]:
            return 0
        length, chunk, most = 0, 256, min(len(part) - start, len(self._content) - old)
        while length < most:
            size = min(chunk, most - length)
            here = part[start + length : start + length + size]
            there = self._content[old + length : old + length + size]
            equal = here == there
            padded = np.ones(-(-size // _WINDOW) * _WINDOW, bool)
            padded[:size] = equal
            enough = padded.reshape(-1, _WINDOW).sum(1) * 2 >= _WINDOW
            if not enough.all():
                last = int(np.argmin(enough)) * _WINDOW
                matching = np.flatnonzero(equal[:last])
                length += int(matching[-1]) + 1 if len(matching) else 0
                return length
            length, chunk = length + size, min(2 * chunk, 1 << 16)
        return length
