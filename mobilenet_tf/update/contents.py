"""The files of a repository that is being changed."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import TargetFile

from mobilenet_tf import files
from mobilenet_tf.update import releases
from mobilenet_tf.update.metadata import SignedMetadata
from mobilenet_tf.update.releases import Network

_HASHED = re.compile(r"[0-9a-f]{64}\.")  # other files are not this program's


class Contents:
    """Targets of a repository, and the list of releases among them.

    Args:
        folder: The folder `targets`.
        metadata: It lists the targets, and is changed with them.
    """

    def __init__(self, folder: Path, metadata: SignedMetadata):
        self._folder, self._metadata = folder, metadata
        self._listed = metadata.targets.targets
        listed = self._listed.get(releases.TARGET)
        self.networks: dict[str, Network] = {}
        if listed is not None:
            path = self._path(listed)
            try:
                content = path.read_bytes()
                listed.verify_length_and_hashes(content)
                self.networks = releases.read(content)
            except (OSError, RepositoryError, ValueError) as error:
                raise ValueError(f"{str(path)!r} cannot be read: {error}") from error

    def whole_files(self, name: str) -> dict[int, Path]:
        """The files of a network's versions that are still here, the newest first."""
        versions = {
            int(PurePosixPath(target).stem): self._path(entry)
            for target, entry in self._listed.items()
            if PurePosixPath(target).parent == PurePosixPath(name)
            and PurePosixPath(target).suffix in releases.SUFFIXES
        }
        return dict(sorted(versions.items(), reverse=True))

    def add(self, target: str, path: Path) -> None:
        """List a file, and copy it to its place."""
        entry = TargetFile.from_file(target, str(path))
        self._put(entry, path.read_bytes())

    def sign(self, keep: int) -> None:
        """Publish the changes, then delete what no device is offered any more.

        Args:
            keep: How many versions of each network stay as bases of later deltas.
        """
        wanted = {releases.TARGET}
        for name, network in self.networks.items():
            for release in network.releases:
                wanted |= release.targets()
            suffixes = {PurePosixPath(item.file).suffix for item in network.releases}
            wanted |= {
                f"{name}/{version}{suffix}"
                for version in list(self.whole_files(name))[: max(1, keep)]
                for suffix in suffixes
            }
        content = releases.write(self.networks)
        self._put(TargetFile.from_data(releases.TARGET, content), content)
        for target in set(self._listed) - wanted:
            del self._listed[target]
        self._metadata.sign_targets()
        present = {self._path(entry) for entry in self._listed.values()}
        for path in self._folder.rglob("*"):
            if _HASHED.match(path.name) and path not in present:
                path.unlink()

    def _put(self, entry: TargetFile, content: bytes) -> None:
        place = self._path(entry)
        files.make_folder(place.parent)
        files.write(place, content)
        self._listed[entry.path] = entry

    def _path(self, entry: TargetFile) -> Path:
        return self._folder / entry.get_prefixed_paths()[0]
