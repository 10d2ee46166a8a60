"""Archives whose every byte is verified: `.npz` files with a header, `.keras` files.

NumPy and Keras read members only as far as they need them, so that their checksums may
never be looked at. What is read here has the size and the checksum that it should have.
"""

from __future__ import annotations

import contextlib
import io
import json
import lzma
import math
import os
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from mobilenet_tf.files import atomic

_HEADER = "header"
_BLOCK = 1 << 20
_LONGEST_ARRAY_HEADER = 1 << 16
_LONGEST_END, _MOST_COUNTED = 22 + 0xFFFF, 0xFFFF  # bytes and members
_MOST_EXPANSION, _ALWAYS_ALLOWED = 100, 1 << 24
# What zipfile and NumPy raise for damaged files.
_DAMAGE = (
    *(OSError, EOFError, LookupError, MemoryError, OverflowError, RuntimeError),
    *(TypeError, ValueError, struct.error, lzma.LZMAError, zlib.error),
    *(zipfile.BadZipFile, SyntaxError),
)


def save_arrays(
    path: str | os.PathLike,
    arrays: Mapping[str, np.ndarray],
    header: Mapping[str, Any],
) -> None:
    """Write arrays and a JSON object to an `.npz` file, atomically.

    Args:
        path: The file, in an existing folder.
        arrays: By name, none of which is "header".
        header: A JSON-ready object.
    """
    encoded = np.frombuffer(json.dumps(header).encode(), "uint8")
    with atomic.replacing(path) as partial, partial.open("wb") as file:
        np.savez(file, allow_pickle=False, **{_HEADER: encoded, **arrays})


def load_arrays(path: str | os.PathLike) -> tuple[dict[str, np.ndarray], dict]:
    """The arrays by name and the header that `save_arrays` wrote.

    Raises:
        ValueError: The file is damaged or another; the message says how, not which.
    """
    with _opened(path) as archive:
        header = _header(archive)
        names = [name.removesuffix(".npy") for name in archive.namelist()]
        arrays = {name: _array(archive, name) for name in names if name != _HEADER}
        return arrays, header


def iterate_arrays(path: str | os.PathLike) -> Iterator[np.ndarray]:
    """The arrays in the order of their names, each read when it is asked for.

    Raises:
        ValueError: As `load_arrays`.
    """
    with _opened(path) as archive:
        names = sorted(name.removesuffix(".npy") for name in archive.namelist())
        yield from (_array(archive, name) for name in names if name != _HEADER)


def load_header(path: str | os.PathLike) -> dict:
    """The header alone; errors as `load_arrays`."""
    with _opened(path) as archive:
        return _header(archive)


def check(path: str | os.PathLike) -> None:
    """Read a zip archive to its end.

    Raises:
        ValueError: A member is damaged, or would take far more memory than the file;
            the message says how, not which file.
    """
    with _opened(path) as archive:
        for member in archive.infolist():
            with _member(archive, member) as stream:
                while stream.read(_BLOCK):
                    pass


def read(path: str | os.PathLike, name: str) -> bytes | None:
    """A member of a zip archive, verified; None if there is none of that name.

    Raises:
        ValueError: As `check`.
    """
    return read_members(path, [name]).get(name)


def read_members(path: str | os.PathLike, names: Iterable[str]) -> dict[str, bytes]:
    """Members of a zip archive by name, verified; those that it has.

    Raises:
        ValueError: As `check`.
    """
    content = {}
    with _opened(path) as archive:
        for name in set(names).intersection(archive.namelist()):
            with _member(archive, archive.getinfo(name)) as stream:
                content[name] = stream.read()
    return content


@contextlib.contextmanager
def _opened(path: str | os.PathLike) -> Iterator[zipfile.ZipFile]:
    with Path(path).open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                _check_count(archive, file)
                yield archive
        except _DAMAGE as error:
            reason = str(error) or type(error).__name__
            raise ValueError(reason) from error


def _check_count(archive: zipfile.ZipFile, file: IO[bytes]) -> None:
    """Check that no members are lost, which zipfile itself does not.

    A wrong length of an entry in the list of members hides those after it.
    """
    file.seek(max(0, file.seek(0, os.SEEK_END) - _LONGEST_END))
    end = file.read()
    (count,) = struct.unpack_from("<H", end, end.rindex(b"PK\5\6") + 10)
    if count != min(len(archive.namelist()), _MOST_COUNTED):
        raise ValueError(
            f"it should have {count} members, but {len(archive.namelist())} are listed"
        )


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> IO[bytes]:
    most = max(_MOST_EXPANSION * member.compress_size, _ALWAYS_ALLOWED)
    if member.file_size > most:
        raise ValueError(
            f"{member.filename} claims {member.file_size:,} bytes, packed into "
            f"{member.compress_size:,}"
        )
    return archive.open(member)


def _header(archive: zipfile.ZipFile) -> dict:
    header = json.loads(_array(archive, _HEADER).tobytes())
    if not isinstance(header, dict):
        raise ValueError(f"its header must be an object, got {type(header).__name__}")
    return header


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """An array whose header, size and checksum agree."""
    member = archive.getinfo(f"{name}.npy")
    length = os.fstat(archive.fp.fileno()).st_size  # type: ignore[union-attr]
    if member.compress_type != zipfile.ZIP_STORED or member.file_size > length:
        raise ValueError(f"{name} claims to be compressed, or longer than the file")
    content = np.empty(member.file_size, "uint8")
    with archive.open(member) as stream:
        for start in range(0, len(content), _BLOCK):
            block = stream.read(_BLOCK)  # at the end, the checksum is compared
            content[start : start + _BLOCK] = np.frombuffer(block, "uint8")
    begin = io.BytesIO(content[:_LONGEST_ARRAY_HEADER].tobytes())
    if np.lib.format.read_magic(begin) != (1, 0):
        raise ValueError(f"{name} must have version 1.0 of the format of arrays")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(begin)
    values = content[begin.tell() :]
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != len(values):
        raise ValueError(f"{name} is not as long as {dtype} {shape} should be")
    return values.view(dtype).reshape(shape, order="F" if fortran else "C")
