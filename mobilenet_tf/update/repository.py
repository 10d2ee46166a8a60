"""Publishing: a folder of static files that any web server can serve.

    server/metadata/    who may sign what, what there is, and until when that holds
    server/targets/     networks, deltas, images of self-tests, the list of releases

Names in `targets` begin with the hash of the file, so that a file never changes.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mobilenet_tf import arguments, files
from mobilenet_tf.update import deltas, releases, self_test
from mobilenet_tf.update.contents import Contents
from mobilenet_tf.update.metadata import SignedMetadata
from mobilenet_tf.update.releases import Network, Release
from mobilenet_tf.update.signing import ROLES, Keys, Lifetimes

Report = Callable[[str], None]


class Repository:
    """An update server's folder, made on first use.

    Args:
        folder: The folder to be served; it must not hold the keys.
        keys: Folders of private keys. `publish` needs those of targets, snapshot and
            timestamp, `set_rollout` the same, `renew` that of timestamp, `rotate_key`
            that of root and those of the roles whose metadata changes.
        lifetimes: Of the signatures to be made.
        report: Gets a line of text for each thing that is done.

    Raises:
        ValueError: A folder of keys lies in `folder`, which would be served with it.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        keys: Sequence[str | os.PathLike],
        lifetimes: Lifetimes | None = None,
        report: Report = print,
    ):
        self.folder = Path(folder)
        self._keys, self._lifetimes = Keys(keys), lifetimes or Lifetimes()
        self._report = report
        served = self.folder.resolve()
        for path in self._keys.folders:
            if served in (path.resolve(), *path.resolve().parents):
                raise ValueError(
                    f"keys must lie outside of the folder that is served, {folder}; "
                    f"got {str(path)!r}"
                )

    def publish(
        self,
        path: str | os.PathLike,
        image: str | os.PathLike,
        expected: str | int,
        *,
        name: str | None = None,
        rollout: float = 1.0,
        delta_count: int = 3,
    ) -> Release:
        """Add a version of a network: the whole file, and deltas from earlier ones.

        Args:
            path: A `.keras` or LiteRT file, which takes RGB pixels.
            image: A photograph, for the self-test on the devices.
            expected: The class that the network gives for it, by its name, where the
                file knows names, or by its index. It is checked here first.
            name: The network's, if the repository has several; None means the only
                one, or the file's name without its ending.
            rollout: Share of the devices that are offered this version, in [0, 1].
            delta_count: From how many earlier versions there are to be deltas.

        Raises:
            ImportError: The file's interpreter, or the codec for deltas, is missing.
            ValueError: An argument is illegal, keys are missing, the network does not
                give the class, or the same file is the newest version already.
        """
        path = Path(path)
        self_test.check_file("path", path)
        arguments.number("rollout", rollout, lambda share: 0 <= share <= 1, "in [0, 1]")
        arguments.integer("delta_count", delta_count, minimum=0)
        with tempfile.TemporaryDirectory() as folder, self._locked():
            scratch = Path(folder)
            test = self_test.prepare(path, Path(image), expected, scratch)
            contents = self._contents(create=True)
            name = self._name(contents.networks, name, path)
            network = contents.networks.setdefault(name, Network())
            digest = files.digest(path)
            version = 1 + max(network.versions.values(), default=0)
            if network.versions.get(digest) == version - 1:
                raise ValueError(
                    f"path must be a new file, got version {version - 1} of {name!r}"
                )
            release = Release(
                version=version,
                file=f"{name}/{version}{path.suffix}",
                sha256=digest,
                size=path.stat().st_size,
                image=f"{name}/{files.digest(test.image)[:16]}.png",
                expected=test.expected,
                label=test.label,
                rollout=float(rollout),
            )
            for base, old in list(contents.whole_files(name).items())[:delta_count]:
                delta = scratch / "delta"
                if deltas.make(old, path, delta, self._report):
                    target = f"{name}/{base}-{version}.delta"
                    contents.add(target, delta)
                    release.deltas[files.digest(old)] = target
            contents.add(release.image, test.image)
            contents.add(release.file, path)
            network.add(release)
            contents.sign(keep=delta_count)
        self._report(
            f"published: version {version} of {name!r}, {release.size:,} bytes, "
            f"{len(release.deltas)} deltas, for {100 * rollout:g} % of the devices"
        )
        return release

    def set_rollout(self, rollout: float, name: str | None = None) -> Release:
        """Offer the newest version to another share of the devices.

        Args:
            rollout: The share, in [0, 1]; 0 stops a roll-out. Devices that have the
                version keep it.
            name: The network's, if the repository has several.

        Raises:
            ValueError: An argument is illegal, or keys are missing.
        """
        arguments.number("rollout", rollout, lambda share: 0 <= share <= 1, "in [0, 1]")
        with self._locked():
            contents = self._contents()
            name = releases.only(contents.networks, name)
            release = contents.networks[name].set_rollout(float(rollout))
            contents.sign(keep=max(1, len(release.deltas)))
        self._report(
            f"version {release.version} of {name!r} is offered to {100 * rollout:g} % "
            "of the devices"
        )
        return release

    def renew(self) -> None:
        """Sign anew what expires; to be called regularly, several times a lifetime.

        Raises:
            ValueError: There is no repository, or the timestamp's key is missing.
        """
        with self._locked():
            metadata = self._open()
            for note in metadata.renew():
                self._report(f"warning: {note}")
        self._report(f"renewed until {metadata.timestamp.expires:%Y-%m-%d %H:%M} UTC")

    def rotate_key(self, role: str) -> None:
        """Replace the key of a role.

        Args:
            role: "root", "targets", "snapshot" or "timestamp". All but the first do
                without their old key, which may be lost.

        Raises:
            ValueError: The role is unknown, or keys are missing.
        """
        arguments.one_of("role", role, ROLES)
        with self._locked():
            metadata = self._open()
            metadata.rotate(role)
        self._report(f"the key of {role} is replaced; its old file can be deleted")

    @property
    def root_path(self) -> Path:
        """The first root, which devices are to be shipped with."""
        return self.folder / "metadata" / "1.root.json"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        folder = self._keys.folders[0]
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        message = f"{folder / 'lock'} is held by another process that publishes"
        with files.locked(folder / "lock", message):
            yield

    def _open(self, create: bool = False) -> SignedMetadata:
        """The metadata, made if there is none and it may be made."""
        folder = self.folder / "metadata"
        metadata = SignedMetadata(folder, self._keys, self._lifetimes)
        if metadata.exists():
            return metadata
        if not create:
            raise ValueError(
                f"folder must be a repository, got {str(self.folder)!r}, which holds "
                "no metadata/timestamp.json"
            )
        if self._keys.any():
            raise ValueError(
                f"folder must be the repository of the keys, got {str(self.folder)!r}, "
                "which is none; a new repository needs an empty folder of keys"
            )
        metadata.create()
        self._report(
            f"created: {self.folder}; ship {self.root_path} with the devices, and move "
            "the root key to a place that is not connected"
        )
        return metadata

    def _contents(self, create: bool = False) -> Contents:
        metadata = self._open(create)
        metadata.check_keys("targets", "snapshot", "timestamp")
        return Contents(self.folder / "targets", metadata)

    @staticmethod
    def _name(networks: dict[str, Network], name: str | None, path: Path) -> str:
        if name is None:
            return releases.only(networks, None) if networks else path.stem
        if not name or "/" in name or name != name.strip("."):
            raise ValueError(f"name must be a word without '/', got {name!r}")
        return name
