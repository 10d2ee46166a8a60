"""The network on a device: replaced by atomic rename, the previous one kept.

Beside the network, `flowers.tflite`, lies a folder, `flowers.tflite.update`:

    state.json            the device's identifier, self-tests, files that were refused
    previous              the file that was in use before
    candidate             a file that is being made; of no use after an interruption
    tests/                images of the self-tests, by their hash
    metadata/, partial/   what the server has signed; downloads that go on
    trusted_root.json     whom the device trusted first

The network's path holds a whole, tested file at all times, whenever the power is cut.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata

from mobilenet_tf import files
from mobilenet_tf.files import checked_json
from mobilenet_tf.update import releases
from mobilenet_tf.update.errors import UpdateError


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What an update has done.

    Attributes:
        changed: Whether there is another file in place.
        version: The version in place; 0 if it was not published by the server.
        message: The same and more in a sentence.
        received: Bytes that were downloaded.
    """

    changed: bool
    version: int
    message: str
    received: int = 0


@dataclasses.dataclass
class State:
    """What a device remembers.

    Attributes:
        device_id: Decides when the device takes part in a roll-out.
        versions: The version of the file in place and of the previous one, by their
            SHA-256; 0 for one that was not published by the server.
        tests: The self-tests of those that were: hash of the image, class, its name.
        refused: Why a file is not installed again, by its SHA-256.
    """

    device_id: str = dataclasses.field(default_factory=lambda: uuid.uuid4().hex)
    versions: dict[str, int] = dataclasses.field(default_factory=dict)
    tests: dict[str, tuple[str, int, str]] = dataclasses.field(default_factory=dict)
    refused: dict[str, str] = dataclasses.field(default_factory=dict)


class Device:
    """A network's file, and the folder beside it.

    Args:
        path: The file, which need not exist yet.

    Raises:
        ValueError: The file's ending is unknown, or its folder does not exist.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path).resolve()
        if self.path.suffix not in releases.SUFFIXES or not self.path.parent.is_dir():
            raise ValueError(
                f"path must end in {' or '.join(releases.SUFFIXES)} and be in an "
                f"existing folder, got {str(path)!r}"
            )
        self.folder = self.path.with_name(f"{self.path.name}.update")
        self.previous = self.folder / f"previous{self.path.suffix}"
        self.candidate = self.folder / f"candidate{self.path.suffix}"
        self.partial = self.folder / "partial"
        self.metadata = self.folder / "metadata"
        self.tests = self.folder / "tests"
        self.trusted_root = self.folder / "trusted_root.json"
        self.state = State()

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Hold the device's lock, its state read and leftovers removed.

        Raises:
            UpdateError: Another process updates it, or its state cannot be read.
        """
        for folder in (self.folder, self.partial, self.metadata, self.tests):
            files.make_folder(folder)  # which a power cut does not take away
        lock = self.folder / "lock"
        try:
            with files.locked(lock, f"another process updates {self.path}"):
                self._remove_leftovers()
                self._read_state()
                yield
        except BlockingIOError as error:
            raise UpdateError(str(error)) from error

    def trust(self, trusted_root: str | os.PathLike | None) -> None:
        """Keep the root that the device is to trust first.

        Args:
            trusted_root: A repository's `1.root.json`; None means the one that is kept.

        Raises:
            ValueError: It is no such file, or there is none yet.
        """
        if trusted_root is None:
            if not self.trusted_root.exists():
                raise ValueError(
                    "trusted_root must be given the first time: the repository's "
                    "metadata/1.root.json, from a source that is trusted"
                )
            return
        try:
            content = Path(trusted_root).read_bytes()
            if Metadata.from_bytes(content).signed.type != "root":
                raise RepositoryError("it is signed metadata of another kind")
        except (OSError, RepositoryError) as error:
            raise ValueError(
                f"trusted_root must be a repository's 1.root.json, got "
                f"{str(trusted_root)!r}: {error}"
            ) from error
        kept = self.trusted_root
        if not kept.exists() or kept.read_bytes() != content:
            files.write(kept, content)

    def digest(self) -> str | None:
        """SHA-256 of the network in place, if there is one."""
        return files.digest(self.path) if self.path.exists() else None

    def write_state(self) -> None:
        """Write the state, without what belongs to no file on the device."""
        present = {
            files.digest(path)
            for path in (self.path, self.previous, self.candidate)
            if path.exists()
        }
        state = self.state
        for entries in (state.versions, state.tests):
            for digest in set(entries) - present:
                del entries[digest]
        images = {f"{image}.png" for image, _, _ in state.tests.values()}
        content = checked_json.dumps(dataclasses.asdict(state), indent=1)
        path = self.folder / "state.json"
        if not path.exists() or path.read_bytes() != content.encode():
            files.write(path, content.encode())
        for path in self.tests.iterdir():
            if path.name not in images:
                path.unlink()

    def swap(self) -> None:
        """Put the candidate into place, and keep the file that was there."""
        if self.path.exists():
            shutil.copymode(self.path, self.candidate)
        if self.path.exists():
            # A second name for the same file: the path is never without one.
            link = self.folder / "candidate.old"
            try:
                link.hardlink_to(self.path)
            except OSError:  # a file system without them
                shutil.copyfile(self.path, link)
            files.rename(link, self.previous)
        files.rename(self.candidate, self.path)
        for path in self.partial.iterdir():
            path.unlink()

    def _read_state(self) -> None:
        path = self.folder / "state.json"
        if not path.exists():
            return
        try:
            fields = checked_json.loads(path.read_bytes())
            tests = {key: tuple(value) for key, value in fields.pop("tests").items()}
            self.state = State(tests=tests, **fields)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UpdateError(f"{path} is damaged ({error}); delete it") from error

    def _remove_leftovers(self) -> None:
        """What an interrupted process has left."""
        for folder, pattern in (
            (self.folder, "candidate*"),
            (self.folder, "arriving*"),
            (self.folder, ".*.partial"),
            (self.metadata, "**/.*.partial"),
            (self.tests, "*.new"),
        ):
            for path in folder.glob(pattern):
                path.unlink()
