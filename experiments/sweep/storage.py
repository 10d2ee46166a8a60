"""Files of trials by their names, in a folder here or on any storage fsspec knows.

Imports nothing heavy: the process that keeps the files does without Keras.
"""

from __future__ import annotations

import contextlib
import datetime
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from mobilenet_tf import files
from mobilenet_tf.packages import require

if TYPE_CHECKING:
    import fsspec


_PARTIAL = ".partial"  # in a name, as long as its file is written
# What a remote storage has of a file that was begun so long ago belongs to no process.
LEFT_SECONDS = 3600


def record_name(key: str) -> str:
    """The record of the trial of a key; it is written last."""
    return f"records/{key}.json"


def snapshot_name(key: str) -> str:
    """The state of a training that is not finished."""
    return f"trials/{key}.snapshot.npz"


def model_name(key: str) -> str:
    """The trained model."""
    return f"trials/{key}.keras"


class StorageError(Exception):
    """A storage cannot be read or written; the message names it."""


class Storage:
    """A folder of files that appear whole or not at all.

    Attributes:
        url: Where it is; of a folder its absolute path.

    Args:
        url: A folder, or the address of one that fsspec knows, such as
            `s3://bucket/folder`; made where it does not exist.

    Raises:
        ImportError: fsspec is not installed.
        ValueError: There is no such kind of storage.
        StorageError: From any method: the storage cannot be read or written.
    """

    def __init__(self, url: str):
        self.url = url
        (fsspec,) = require("fsspec", extra="experiments", purpose="the storage")
        try:
            self._system, self._root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise ValueError(
                "storage must be a folder or a URL that fsspec and its plug-ins know, "
                f"got {url!r} ({error})"
            ) from error
        self._local = "file" in _protocols(self._system)
        if self._local:
            self.url = self._root  # absolute: other processes use it too

    def read(self, name: str) -> bytes | None:
        """The content of a file; None where there is no such file."""
        try:
            return self._system.cat_file(self._path(name))
        except FileNotFoundError:
            return None
        except Exception as error:
            raise self._failure("read", name, error) from error

    def write(self, name: str, content: bytes) -> None:
        """Write a file, or replace it."""
        path = self._path(name)
        try:
            if self._local:
                files.make_folder(Path(path).parent)
                files.write(path, content)
                return
            self._system.makedirs(path.rpartition("/")[0], exist_ok=True)
            partial = f"{path}.{secrets.token_hex(4)}{_PARTIAL}"
            try:
                self._system.pipe_file(partial, content)
                self._system.mv(partial, path)
            except BaseException:
                with contextlib.suppress(Exception):
                    self._system.rm_file(partial)
                raise
        except Exception as error:
            raise self._failure("write", name, error) from error

    def remove(self, name: str) -> None:
        """Remove a file, if it exists."""
        try:
            self._system.rm_file(self._path(name))
        except FileNotFoundError:
            return
        except Exception as error:
            raise self._failure("remove", name, error) from error

    def names(self, folder: str) -> set[str]:
        """The names of all files in one of its folders, `folder/file`."""
        try:
            paths = self._system.ls(self._path(folder), detail=False, refresh=True)
        except FileNotFoundError:
            return set()
        except Exception as error:
            raise self._failure("list", folder, error) from error
        return {f"{folder}/{path.rpartition('/')[2]}" for path in paths}

    def remove_partials(self) -> None:
        """Remove what commands have left that were killed while they wrote."""
        for name in self.names("records") | self.names("trials"):
            if _PARTIAL not in name:
                continue
            if self._local:
                files.remove_unowned([Path(self._path(name))])
            elif self._age(name) > LEFT_SECONDS:
                self.remove(name)

    def _age(self, name: str) -> float:
        """Seconds since a file was written; 0 where the storage does not tell."""
        try:
            written = self._system.modified(self._path(name))
        except (FileNotFoundError, NotImplementedError):
            return 0.0
        except Exception as error:
            raise self._failure("list", name, error) from error
        return (datetime.datetime.now(written.tzinfo) - written).total_seconds()

    def check(self) -> None:
        """Raise StorageError unless files can be written, read and removed."""
        name = f"trials/probe-{secrets.token_hex(4)}{_PARTIAL}"
        self.write(name, b"probe")
        if self.read(name) != b"probe":
            raise StorageError(f"storage {self.url!r} does not return what is written")
        self.remove(name)

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"

    def _failure(self, action: str, name: str, error: Exception) -> StorageError:
        reason = str(error) or type(error).__name__
        if files.is_of_full_disk(error):
            reason = "no space left"
        return StorageError(
            f"storage {self.url!r} cannot be used: {action} {name!r}: {reason}"
        )


def _protocols(system: fsspec.AbstractFileSystem) -> tuple[str, ...]:
    return (system.protocol,) if isinstance(system.protocol, str) else system.protocol
