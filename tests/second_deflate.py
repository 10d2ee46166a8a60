"""The numbers of a zlib stream, read as FORMAT.md describes, from a text of bits.

It shares no code with the package, and is as slow as it is short.
"""

import collections
import itertools
import struct

ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)


def codewords(lengths):
    """The symbol of each word of a code, as RFC 1951 assigns them (section 3.2.2)."""
    counts = collections.Counter(length for length in lengths if length)
    code, first = 0, {}
    for length in range(1, 16):
        code = (code + counts[length - 1]) * 2
        first[length] = itertools.count(code)
    return {
        f"{next(first[length]):0{length}b}": symbol
        for symbol, length in enumerate(lengths)
        if length
    }


class Reader:
    """Takes numbers from a text of bits and notes them."""

    def __init__(self, stream):
        self.bits = "".join(f"{byte:08b}"[::-1] for byte in stream)
        self.found = []

    def number(self, bits):
        taken, self.bits = self.bits[:bits], self.bits[bits:]
        self.found.append(int(taken[::-1] or "0", 2))
        return self.found[-1]

    def symbol(self, words):
        length = next(n for n in range(1, 16) if self.bits[:n] in words)
        self.found.append(words[self.bits[:length]])
        self.bits = self.bits[length:]
        return self.found[-1]

    def align(self):
        padding = len(self.bits) % 8
        assert "1" not in self.bits[:padding]
        self.bits = self.bits[padding:]

    def block(self, literals, distances):
        while (symbol := self.symbol(literals)) != 256:
            if symbol > 256:
                length = symbol - 257
                self.number(0 if length < 8 or length == 28 else length // 4 - 1)
                distance = self.symbol(distances)
                self.number(max(0, distance // 2 - 1))

    def two_codes(self):
        many, few, own = self.number(5) + 257, self.number(5) + 1, self.number(4) + 4
        given = {symbol: self.number(3) for symbol in ORDER[:own]}
        words, lengths = codewords([given.get(n, 0) for n in range(19)]), []
        while len(lengths) < many + few:
            symbol = self.symbol(words)
            if symbol < 16:
                lengths.append(symbol)
            elif symbol == 16:
                lengths += [lengths[-1]] * (3 + self.number(2))
            else:
                lengths += [0] * (
                    3 + self.number(3) if symbol < 18 else 11 + self.number(7)
                )
        return codewords(lengths[:many]), codewords(lengths[many:])


def numbers(stream):
    """All numbers, two bytes each."""
    reader = Reader(stream)
    reader.number(8), reader.number(8)
    last = False
    while not last:
        last, kind = reader.number(1), reader.number(2)
        if kind == 0:
            reader.align()
            size, _ = reader.number(16), reader.number(16)
            for _ in range(size):
                reader.number(8)
        elif kind == 1:
            literals = [8] * 144 + [9] * 112 + [7] * 24 + [8] * 8
            reader.block(codewords(literals), codewords([5] * 30))
        else:
            reader.block(*reader.two_codes())
    reader.align()
    for _ in range(4):
        reader.number(8)
    assert not reader.bits
    return b"".join(struct.pack("<H", number) for number in reader.found)
