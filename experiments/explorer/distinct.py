"""Values that a data file has once, wherever it repeats them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Distinct(Generic[T]):
    """Values without repetitions, each named by its index."""

    def __init__(self) -> None:
        self._indices: dict[T, int] = {}

    def index(self, value: T) -> int:
        """The index of a value, which is new or known."""
        return self._indices.setdefault(value, len(self._indices))

    def indices(self, values: Iterable[T]) -> list[int]:
        """The indices of several values."""
        return [self.index(value) for value in values]

    def listed(self) -> list[T]:
        """All values, in the order of their indices."""
        return list(self._indices)
