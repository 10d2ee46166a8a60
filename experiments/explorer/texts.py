"""Texts that a data file has once, wherever it repeats them."""

from __future__ import annotations

from collections.abc import Iterable


class Texts:
    """Texts without repetitions, each named by its index."""

    def __init__(self) -> None:
        self._indices: dict[str, int] = {}

    def index(self, text: str) -> int:
        """The index of a text, which is new or known."""
        return self._indices.setdefault(text, len(self._indices))

    def indices(self, texts: Iterable[str]) -> list[int]:
        """The indices of several texts."""
        return [self.index(text) for text in texts]

    def listed(self) -> list[str]:
        """All texts, in the order of their indices."""
        return list(self._indices)
