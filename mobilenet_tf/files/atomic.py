"""Files that survive a killed program, a full disk and a power cut.

A file is written beside its place as `.NAME.TOKEN.partial`, synchronised with the disk
and renamed; then the folder is synchronised. Its writer holds a lock on it, which ends
with the process however it ends. So a later program knows what a killed one has left,
and removes it; what a living process is writing is locked and stays.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from mobilenet_tf.files import locks

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_OF_DISK = (*_FULL, errno.EIO)
_NOT_SYNCHRONISED = (errno.EINVAL, errno.ENOTSUP, errno.EBADF)
_LONGEST_NAME = 200  # bytes; file systems allow 255


def is_of_full_disk(error: BaseException) -> bool:
    """Whether an error says that a disk or a quota is full, or a file too large."""
    return getattr(error, "errno", None) in _FULL


def write(path: str | os.PathLike, content: bytes | str, mode: int = 0o666) -> None:
    """Write a file that appears whole or not at all, replacing what is there.

    Args:
        path: The file, in an existing folder.
        content: Its bytes, or its text, which is written in UTF-8.
        mode: Its permissions, of which the process' umask is taken off.

    Raises:
        OSError: The disk is full, or the folder cannot be written; nothing is left.
    """
    content = content.encode() if isinstance(content, str) else content
    with replacing(path, mode) as partial:
        partial.write_bytes(content)


@contextlib.contextmanager
def replacing(path: str | os.PathLike, mode: int = 0o666) -> Iterator[Path]:
    """Another path to write a file to, which takes the place of `path` in the end.

    Args:
        path: The file, in an existing folder.
        mode: Its permissions, of which the process' umask is taken off.

    Raises:
        OSError: The disk is full, or the folder cannot be written; nothing is left.
    """

    def create(partial: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        os.close(os.open(partial, flags, mode))

    with _partial(Path(path), create) as partial:
        yield partial
        rename(partial, path)


@contextlib.contextmanager
def scratch_folder(path: str | os.PathLike) -> Iterator[Path]:
    """A folder beside a path, to make something in that is then renamed to `path`.

    It is removed in the end, with what is still in it.

    Args:
        path: The file or folder that is made, in an existing folder.

    Raises:
        OSError: As `replacing`.
    """
    with _partial(Path(path), os.mkdir) as folder:
        yield folder


def rename(source: str | os.PathLike, path: str | os.PathLike) -> None:
    """Put a file or folder into the place of another, atomically and durably."""
    synchronise(source)
    os.replace(source, path)
    _synchronise_one(Path(path).parent)


def synchronise(path: str | os.PathLike) -> None:
    """Wait until a file, or a folder with all that is in it, is on the disk."""
    path = Path(path)
    for folder, _, names in os.walk(path):  # nothing where it is a file
        for name in names:
            _synchronise_one(Path(folder, name))
        _synchronise_one(Path(folder))
    if not path.is_dir():
        _synchronise_one(path)


def make_folder(path: str | os.PathLike) -> None:
    """Make a folder and those above it, durably, where they do not exist."""
    path = Path(path)
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        _synchronise_one(path.parent)


def remove_leftovers(path: str | os.PathLike) -> None:
    """Remove what killed programs have left that were writing a file or folder."""
    prefix = _prefix(Path(path))
    remove_unowned(
        entry
        for entry in Path(path).parent.iterdir()
        if entry.name.startswith(prefix) and entry.name.endswith(".partial")
    )


def remove_unowned(paths: Iterable[Path]) -> None:
    """Remove partial files and scratch folders that no living process is writing."""
    for path in list(paths):
        with contextlib.suppress(OSError):  # it is gone, or of another user
            descriptor = locks.opened(path)
            try:
                if locks.acquire(descriptor):
                    _remove(path)
            finally:
                os.close(descriptor)


def digest(path: str | os.PathLike) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def _partial(path: Path, create: Callable[[Path], object]) -> Iterator[Path]:
    """A new file or folder beside `path`, locked, and removed in the end."""
    remove_leftovers(path)
    with _disk_errors_named(path):
        partial, descriptor = _claimed(path, create)
        try:
            yield partial
        finally:
            _remove(partial)
            os.close(descriptor)


def _claimed(path: Path, create: Callable[[Path], object]) -> tuple[Path, int]:
    """A new file or folder, and the descriptor that holds its lock."""
    while True:
        partial = path.with_name(f"{_prefix(path)}{secrets.token_hex(4)}.partial")
        create(partial)
        # Before it is locked, another process may take it for left over.
        with contextlib.suppress(FileNotFoundError):
            descriptor = locks.opened(partial)
            try:
                free = locks.acquire(descriptor) is not False
                if free and os.path.samestat(os.fstat(descriptor), partial.stat()):
                    return partial, descriptor
            except FileNotFoundError:
                pass
            os.close(descriptor)


def _prefix(path: Path) -> str:
    """How the names of a path's partial files begin."""
    return f".{os.fsdecode(os.fsencode(path.name)[:_LONGEST_NAME])}."


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _synchronise_one(path: Path) -> None:
    if os.name != "posix" or path.is_symlink():  # Windows opens no folders
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NOT_SYNCHRONISED:  # some network file systems
            raise
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _disk_errors_named(path: Path) -> Iterator[None]:
    """Give errors of a full or broken disk the names of the file and its folder."""
    try:
        yield
    except Exception as error:
        code = _disk_error(error)
        if code is None:
            raise
        reason = f"{os.strerror(code)} in the folder {str(path.parent)!r}, for the file"
        raise OSError(code, reason, str(path)) from error


def _disk_error(error: BaseException | None) -> int | None:
    """The number of the disk's error behind an exception, if that is what it was."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _OF_DISK:
            return error.errno
        for code in _OF_DISK:  # libraries in C++ hand on the text alone
            if os.strerror(code) in str(error):
                return code
        error = error.__cause__ or error.__context__
    return None
