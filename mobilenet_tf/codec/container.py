"""The file around the streams: lengths and checksums, as FORMAT.md describes."""

from __future__ import annotations

import dataclasses
import struct
import zlib

MAGIC, VERSION = b"MNTC", 1
_HEAD = struct.Struct("<4sBBHI")
_ENTRY = struct.Struct("<BII")
_CHECKSUM = struct.Struct("<I")
MOST_ARCHITECTURE = 1 << 20  # bytes of JSON, some hundred times a real one


@dataclasses.dataclass(frozen=True)
class Stream:
    """One tensor as a file holds it.

    Attributes:
        kind: See `tensors`.
        checksum: CRC-32 of the decoded little-endian float32.
        content: The range coder's words.
    """

    kind: int
    checksum: int
    content: bytes


def pack(architecture: str, streams: list[Stream]) -> bytes:
    """The bytes of a file.

    Raises:
        ValueError: The architecture is longer than a reader allows.
    """
    text = architecture.encode()
    if len(text) > MOST_ARCHITECTURE:
        raise ValueError(
            f"architecture must have at most {MOST_ARCHITECTURE:,} bytes, got "
            f"{len(text):,}"
        )
    return join(zlib.compress(text, 9), streams)


def join(packed: bytes, streams: list[Stream]) -> bytes:
    """The bytes of a file whose architecture is packed already."""
    parts = [_HEAD.pack(MAGIC, VERSION, 0, len(streams), len(packed)), packed]
    parts += [
        _ENTRY.pack(stream.kind, len(stream.content), stream.checksum)
        for stream in streams
    ]
    parts += [stream.content for stream in streams]
    body = b"".join(parts)
    return body + _CHECKSUM.pack(zlib.crc32(body))


def unpack(content: bytes) -> tuple[str, list[Stream]]:
    """The architecture and the streams that were packed.

    Raises:
        ValueError: The file is truncated, too long, damaged, or of another format.
    """
    if len(content) < _HEAD.size + _CHECKSUM.size:
        raise ValueError(f"it has {len(content)} bytes, fewer than any such file")
    magic, version, reserved, count, length = _HEAD.unpack_from(content)
    if magic != MAGIC:
        raise ValueError(f"it must begin with {MAGIC!r}, got {magic!r}")
    if version != VERSION:
        raise ValueError(f"its version must be {VERSION}, got {version}")
    if reserved:
        raise ValueError(f"its sixth byte must be zero, got {reserved}")
    body, (checksum,) = content[:-4], _CHECKSUM.unpack(content[-4:])
    if zlib.crc32(body) != checksum:
        raise ValueError("its checksum is wrong: it is damaged, truncated or too long")
    table = _HEAD.size + length
    start = table + count * _ENTRY.size
    if start > len(body):
        raise ValueError("its table of tensors does not fit into it")
    entries = [
        _ENTRY.unpack_from(body, table + index * _ENTRY.size) for index in range(count)
    ]
    if start + sum(size for _, size, _ in entries) != len(body):
        raise ValueError("its streams are not as long as its table says")
    streams = []
    for kind, size, crc in entries:
        streams.append(Stream(kind, crc, body[start : start + size]))
        start += size
    return inflate(body[_HEAD.size : table]), streams


def packed_architecture(content: bytes) -> bytes:
    """The architecture of a file that `unpack` accepts, as it holds it."""
    *_, length = _HEAD.unpack_from(content)
    return content[_HEAD.size : _HEAD.size + length]


def inflate(packed: bytes) -> str:
    """The architecture that a file holds packed.

    Raises:
        ValueError: It is damaged, or longer than a reader allows.
    """
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(packed, MOST_ARCHITECTURE)
        if not inflater.eof or inflater.unused_data:
            raise ValueError("its architecture is cut, too long, or not alone")
        return text.decode()
    except (zlib.error, UnicodeDecodeError) as error:
        raise ValueError(f"its architecture cannot be read: {error}") from error
