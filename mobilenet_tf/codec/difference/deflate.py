"""The numbers that a zlib stream is made of, and the stream of these numbers.

A text that changes in one place changes all bits of its zlib stream after that place,
but few of its numbers. To compress the new text again would take a zlib that finds the
same matches, which another version or implementation does not: the numbers are what it
has found, and give the same stream everywhere.
"""

from __future__ import annotations

import struct
from typing import Protocol

from mobilenet_tf.codec.container import MOST_ARCHITECTURE
from mobilenet_tf.codec.difference.huffman import FIXED_CODES, Code

# Three bytes of a text take at most the four numbers of a match, two bytes each; zlib's
# codes take less than the rest. It bounds the time, of which each number takes some.
MOST_BYTES = 4 * MOST_ARCHITECTURE
_NUMBER = struct.Struct("<H")
_LAST_LITERAL, _END = 255, 256
_STORED, _FIXED, _DYNAMIC = range(3)
# RFC 1951, section 3.2.5: bits that follow a symbol of a match's length or distance.
_LENGTH_BITS = (*(0,) * 8, *(bits for bits in range(1, 6) for _ in range(4)), 0)
_DISTANCE_BITS = (0, 0, *(bits for bits in range(14) for _ in range(2)))
# Section 3.2.7: in which order the lengths of the first code come, and bits that follow
# its symbols 16, 17 and 18.
_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
_REPEAT_BITS = {16: (2, 3), 17: (3, 3), 18: (7, 11)}


def unfold(stream: bytes) -> bytes:
    """The numbers of a zlib stream, in two bytes each.

    Raises:
        ValueError: It is no such stream, or not one that `fold` would give, or it has
            more than `MOST_BYTES` of numbers.
    """
    target = _Numbers()
    _copy(_Bits(stream), target)
    numbers = bytes(target.content)
    if fold(numbers) != stream:
        raise ValueError("its architecture is packed in an unusual way")
    return numbers


def fold(numbers: bytes) -> bytes:
    """The zlib stream that `unfold` was given.

    Raises:
        ValueError: The bytes are not of `unfold`.
    """
    _check_size(len(numbers))
    target = _Bits()
    _copy(_Numbers(numbers), target)
    return bytes(target.content)


def _check_size(size):
    if size > MOST_BYTES:
        raise ValueError(
            f"its architecture must have at most {MOST_BYTES:,} bytes of numbers"
        )


class _Form(Protocol):
    """One of the two forms of a stream, which is read, or written if it began empty."""

    content: bytearray

    def read(self, bits: int) -> int: ...
    def write(self, value: int, bits: int) -> None: ...
    def read_symbol(self, code: Code) -> int: ...
    def write_symbol(self, symbol: int, code: Code) -> None: ...
    def align(self) -> None: ...
    def at_end(self) -> bool: ...


class _Bits:
    """The stream itself."""

    def __init__(self, content=b""):
        self.content = bytearray(content)
        self._place = self._pending = 0  # in bits; those that fill no byte yet

    def read(self, bits):
        value = 0
        for index in range(bits):
            value |= self._bit() << index
        return value

    def write(self, value, bits):
        self._pending |= value << self._place % 8
        self._place += bits
        while len(self.content) < self._place // 8:
            self.content.append(self._pending & 255)
            self._pending >>= 8

    def read_symbol(self, code):
        value = 0
        for length in range(1, 16):
            value = value << 1 | self._bit()
            if (value, length) in code.symbols:
                return code.symbols[value, length]
        raise ValueError("its architecture has bits that are no symbol")

    def write_symbol(self, symbol, code):
        self.write(*code.bits[symbol])

    def align(self):
        self._place = -(-self._place // 8) * 8
        self.write(0, 0)

    def at_end(self):
        return self._place == 8 * len(self.content)

    def _bit(self):
        byte, bit = divmod(self._place, 8)
        if byte >= len(self.content):
            raise ValueError("its architecture is cut")
        self._place += 1
        return self.content[byte] >> bit & 1


class _Numbers:
    """Its numbers, in two bytes each."""

    def __init__(self, content=b""):
        self.content = bytearray(content)
        self._place = 0

    def read(self, bits):
        if self._place + _NUMBER.size > len(self.content):
            raise ValueError("its architecture is cut")
        (value,) = _NUMBER.unpack_from(self.content, self._place)
        self._place += _NUMBER.size
        if value >> bits:
            raise ValueError(
                f"its architecture has {value} for a number of {bits} bits"
            )
        return value

    def write(self, value, bits):
        self.content += _NUMBER.pack(value)
        _check_size(len(self.content))

    def read_symbol(self, code):
        if (symbol := self.read(16)) not in code.bits:
            raise ValueError(f"its architecture has {symbol}, which is no symbol")
        return symbol

    def write_symbol(self, symbol, code):
        self.write(symbol, 16)

    def align(self):
        pass

    def at_end(self):
        return self._place == len(self.content)


def _copy(source: _Form, target: _Form) -> None:
    """Read a stream in one form and write it in the other."""
    _numbers(source, target, 8, 2)
    last = 0
    while not last:
        last, kind = _number(source, target, 1), _number(source, target, 2)
        if kind == _STORED:
            source.align()
            target.align()
            size, _ = _numbers(source, target, 16, 2)
            _numbers(source, target, 8, size)
        elif kind == _FIXED:
            _block(source, target, *FIXED_CODES)
        elif kind == _DYNAMIC:
            _block(source, target, *_codes(source, target))
        else:
            raise ValueError("its architecture has a block of kind 3")
    source.align()
    target.align()
    _numbers(source, target, 8, 4)  # the checksum
    if not source.at_end():
        raise ValueError("its architecture is not alone")


def _number(source, target, bits):
    value = source.read(bits)
    target.write(value, bits)
    return value


def _numbers(source, target, bits, count):
    return [_number(source, target, bits) for _ in range(count)]


def _symbol(source, target, code):
    symbol = source.read_symbol(code)
    target.write_symbol(symbol, code)
    return symbol


def _block(source, target, literals, distances):
    """The literals and matches of a block."""
    while (symbol := _symbol(source, target, literals)) != _END:
        if symbol <= _LAST_LITERAL:
            continue
        _extra(source, target, _LENGTH_BITS, symbol - _END - 1)
        _extra(source, target, _DISTANCE_BITS, _symbol(source, target, distances))


def _extra(source, target, bits, symbol):
    if symbol >= len(bits):
        raise ValueError("its architecture has a symbol that stands for nothing")
    _number(source, target, bits[symbol])


def _codes(source, target):
    """The two codes of a block, which precede it."""
    literals = _number(source, target, 5) + 257
    distances = _number(source, target, 5) + 1
    first = [0] * len(_ORDER)
    for index in _ORDER[: _number(source, target, 4) + 4]:
        first[index] = _number(source, target, 3)
    code, lengths = Code(first), []
    while len(lengths) < literals + distances:
        symbol = _symbol(source, target, code)
        if symbol not in _REPEAT_BITS:
            lengths.append(symbol)
            continue
        bits, least = _REPEAT_BITS[symbol]
        repeated = lengths[-1] if symbol == 16 and lengths else 0
        lengths += [repeated] * (least + _number(source, target, bits))
    if len(lengths) != literals + distances:
        raise ValueError("its architecture has more lengths than symbols")
    return Code(lengths[:literals]), Code(lengths[literals:])
