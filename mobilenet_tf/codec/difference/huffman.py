"""Huffman codes of zlib streams."""

from __future__ import annotations

from collections.abc import Sequence


class Code:
    """A Huffman code.

    Args:
        lengths: Of each symbol the number of its bits; 0 means it has none.

    Attributes:
        bits: Of each symbol its bits, in the order of a stream from the lowest, and
            their number.
        symbols: The symbols by their bits, the first one highest, and their number.
    """

    def __init__(self, lengths: Sequence[int]) -> None:
        self.bits: dict[int, tuple[int, int]] = {}
        self.symbols: dict[tuple[int, int], int] = {}
        value = previous = 0
        for length, symbol in sorted((n, s) for s, n in enumerate(lengths) if n):
            value <<= length - previous
            self.symbols[value, length] = symbol
            self.bits[symbol] = int(f"{value:0{length}b}"[::-1], 2), length
            value, previous = value + 1, length


# Of literals and lengths, and of distances, where a block brings none of its own.
FIXED_CODES = (
    Code([8] * 144 + [9] * 112 + [7] * 24 + [8] * 8),
    Code([5] * 30),
)
