"""The file of a difference around its content, as FORMAT.md describes."""

from __future__ import annotations

import dataclasses
import struct
import zlib

MAGIC, VERSION = b"MNTD", 1
# Pieces are of the files, or of codec files in one of their expanded forms.
PLAIN, EXPANDED, UNFOLDED = FORMS = range(3)
_HEAD = struct.Struct("<4sBBH32s32sQII")
_CHECKSUM = struct.Struct("<I")


@dataclasses.dataclass(frozen=True)
class Difference:
    """What a file holds.

    Attributes:
        form: Of which form of both files the pieces are, one of `FORMS`.
        old: SHA-256 of the old file.
        new: SHA-256 of the new file.
        size: Bytes of the new file in this form.
        script: Table of the pieces, literal bytes and differences of bytes.
        stream: The range coder's words.
    """

    form: int
    old: bytes
    new: bytes
    size: int
    script: bytes
    stream: bytes


def pack(difference: Difference) -> bytes:
    """The bytes of a file."""
    packed = zlib.compress(difference.script, 9)
    head = _HEAD.pack(
        MAGIC,
        VERSION,
        difference.form,
        0,
        difference.old,
        difference.new,
        difference.size,
        len(difference.script),
        len(packed),
    )
    body = head + packed + difference.stream
    return body + _CHECKSUM.pack(zlib.crc32(body))


def unpack(content: bytes, max_bytes: int) -> Difference:
    """What `pack` was given.

    Args:
        content: The bytes of a file.
        max_bytes: The largest new file; its pieces may take as much.

    Raises:
        ValueError: The file is truncated, too long, damaged, or of another format; or
            it claims more than the limit.
    """
    if len(content) < _HEAD.size + _CHECKSUM.size:
        raise ValueError(f"it has {len(content)} bytes, fewer than any such file")
    magic, version, form, reserved, old, new, size, script_size, packed_size = (
        _HEAD.unpack_from(content)
    )
    if magic != MAGIC:
        raise ValueError(f"it must begin with {MAGIC!r}, got {magic!r}")
    if version != VERSION:
        raise ValueError(f"its version must be {VERSION}, got {version}")
    body, (checksum,) = content[:-4], _CHECKSUM.unpack(content[-4:])
    if zlib.crc32(body) != checksum:
        raise ValueError("its checksum is wrong: it is damaged, truncated or too long")
    if form not in FORMS or reserved:
        raise ValueError(f"its bytes 5 to 7 must be 0 to 2, 0, 0, got {content[5:8]!r}")
    if max(size, script_size) > max_bytes:
        raise ValueError(
            f"it needs more than max_bytes ({max_bytes:,}): {size:,} of the new file, "
            f"{script_size:,} of its pieces"
        )
    start, end = _HEAD.size, _HEAD.size + packed_size
    if end > len(body):
        raise ValueError("its pieces do not fit into it")
    script = _inflate(body[start:end], script_size)
    return Difference(form, old, new, size, script, body[end:])


def _inflate(packed, size):
    inflater = zlib.decompressobj()
    try:
        script = inflater.decompress(packed, size + 1)
    except zlib.error as error:
        raise ValueError(f"its pieces cannot be read: {error}") from error
    if len(script) != size or not inflater.eof or inflater.unused_data:
        raise ValueError("its pieces are not as long as it says")
    return script
