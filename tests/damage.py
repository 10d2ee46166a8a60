"""Damage done to files: what every reader must answer with one clear error."""

import collections
import dataclasses
import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import given
from hypothesis import strategies as st

_BLOCKS = (1, 2, 8, 64, 512)


def times(factor):
    """Settings of a test of many quick examples, the same in every run."""
    return hypothesis.settings(
        max_examples=factor * hypothesis.settings.default.max_examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )


def _flipped(content, places):
    damaged = bytearray(content)
    for index, bit, _ in places:
        damaged[index % len(damaged)] ^= 1 << bit % 8
    return bytes(damaged)


def _cut(content, places):
    return content[: places[0][0] % len(content)]


def _beheaded(content, places):
    return content[places[0][0] % len(content) :]


def _removed(content, places):
    (start, size, _), *_ = places
    start %= len(content)
    return content[:start] + content[start + _BLOCKS[size % len(_BLOCKS)] :]


def _inserted(content, places):
    (start, _, added), *_ = places
    start %= len(content)
    return content[:start] + added + content[start:]


def _zeroed(content, places):
    """As where a file has grown, but its blocks have not been written."""
    (start, size, _), *_ = places
    start %= len(content)
    size = min(_BLOCKS[size % len(_BLOCKS)], len(content) - start)
    return content[:start] + bytes(size) + content[start + size :]


def _swapped(content, places):
    """Two blocks of the same size in each other's place."""
    size = min(_BLOCKS[places[0][1] % len(_BLOCKS)], len(content) // 2)
    first, second = sorted((places[0][0] % len(content), places[-1][0] % len(content)))
    second = max(second, first + size)
    if second + size > len(content):
        first, second = 0, len(content) - size
    before, one, between, other, after = (
        content[:first],
        content[first : first + size],
        content[first + size : second],
        content[second : second + size],
        content[second + size :],
    )
    return before + other + between + one + after


_WAYS = (_flipped, _cut, _beheaded, _removed, _inserted, _zeroed, _swapped)
_PLACES = st.tuples(
    st.integers(0, 1 << 40), st.integers(0, 39), st.binary(min_size=1, max_size=9)
)


@dataclasses.dataclass(frozen=True)
class Format:
    """A kind of file, and how it is read.

    Attributes:
        path: A whole file.
        read: Reads a path; what it returns is compared.
        checked: Whether it has checksums, so that nothing else can be read from it.
        same: Whether what is read from a damaged file was in the whole one.
        error: What reading raises.
    """

    path: Path
    read: Callable[[Path], Any]
    checked: bool = True
    same: Callable[[Any, Any], bool] = operator.eq
    error: type[Exception] = ValueError


def outcomes(format, examples):
    """Damage a file in many ways and read it: the content as it was, or the error.

    Args:
        format: The file, which is whole again in the end.
        examples: How many ways.

    Returns:
        How often which happened.
    """
    content = format.path.read_bytes()
    expected = format.read(format.path)
    counts = collections.Counter()

    @hypothesis.settings(times(1), max_examples=examples)
    @given(st.sampled_from(_WAYS), st.lists(_PLACES, min_size=1, max_size=3))
    def check(damage, places):
        damaged = damage(content, places)
        if damaged == content:
            return
        format.path.write_bytes(damaged)
        try:
            found = format.read(format.path)
        except format.error as error:
            assert str(format.path) in str(error), error
            counts["an error"] += 1
        else:
            same = format.same(found, expected)
            assert same or not format.checked, (damage.__name__, places)
            counts["the same" if same else "another"] += 1

    try:
        check()
    finally:
        format.path.write_bytes(content)
    return counts
