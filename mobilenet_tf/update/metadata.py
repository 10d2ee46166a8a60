"""The signed metadata of a repository, as files in its folder `metadata`.

A change is signed bottom up: targets, snapshot, timestamp. Every file but the last has
its version in its name, so that devices see the old state until timestamp.json appears,
and an interrupted change is as if it had not begun.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import RepositoryError, UnsignedMetadataError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, Targets, Timestamp
from tuf.api.serialization import DeserializationError
from tuf.api.serialization.json import JSONSerializer

from mobilenet_tf import files
from mobilenet_tf.update.signing import ROLES, Keys, Lifetimes


class SignedMetadata:
    """The four roles' metadata, read from a folder or new.

    Args:
        folder: The folder `metadata`.
        keys: Private keys, of which a change needs some.
        lifetimes: Of the signatures to be made.
    """

    def __init__(self, folder: Path, keys: Keys, lifetimes: Lifetimes):
        self._folder, self._keys, self._lifetimes = folder, keys, lifetimes
        self._roles: dict[str, Metadata[Any]] = {}
        roots = folder.glob("[0-9]*.root.json")
        versions = sorted(int(path.name.split(".")[0]) for path in roots)
        # A root is in use as soon as it is there; the others from the timestamp down.
        if (folder / "timestamp.json").exists():
            if not versions:
                raise _damaged(folder / "1.root.json", "there is no root")
            self._read_all(versions)

    @property
    def root(self) -> Root:
        """Which keys the roles have."""
        return self._roles["root"].signed

    @property
    def targets(self) -> Targets:
        """The files of the repository."""
        return self._roles["targets"].signed

    @property
    def snapshot(self) -> Snapshot:
        """The version of the targets' list."""
        return self._roles["snapshot"].signed

    @property
    def timestamp(self) -> Timestamp:
        """The version of the snapshot."""
        return self._roles["timestamp"].signed

    def exists(self) -> bool:
        """Whether there was metadata in the folder."""
        return bool(self._roles)

    def create(self) -> None:
        """Make keys, and the metadata of an empty repository."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for signed in (Root(), Targets(), Snapshot(), Timestamp()):
            signed.version = 0  # until it is signed
            self._roles[signed.type] = Metadata(signed)
        for role in ROLES:
            self.root.add_key(self._keys.create(role).public_key, role)
        for role in ROLES:
            self._sign(role)

    def check_keys(self, *roles: str) -> None:
        """Raise ValueError unless the keys of some roles are at hand."""
        for role in roles:
            self._signer(role)

    def sign_targets(self) -> None:
        """Publish what was changed in `targets`."""
        self._sign("targets")
        self._sign("snapshot")
        self._sign("timestamp")

    def renew(self) -> list[str]:
        """Sign what has no more than half of its lifetime left; always the timestamp.

        Returns:
            What could not be signed as its key is not at hand, and when it expires.
        """
        self.check_keys("timestamp")
        notes, above = [], False
        for role in ("root", "targets", "snapshot"):
            if not (self._is_due(role) or (role == "snapshot" and above)):
                continue
            try:
                self.check_keys(role)
            except ValueError as error:
                expires = self._roles[role].signed.expires
                notes.append(f"{role} expires on {expires:%Y-%m-%d}: {error}")
            else:
                self._sign(role)
                above = role == "targets"
        self._sign("timestamp")
        return notes

    def rotate(self, role: str) -> None:
        """Replace the key of a role; what it had signed is signed with the new key.

        Devices accept a new root that both the old and the new root key have signed.
        """
        below = () if role == "root" else ROLES[ROLES.index(role) + 1 :]
        self.check_keys("root", *below)
        old_root = self._signer("root")
        for key_id in list(self.root.roles[role].keyids):
            self.root.revoke_key(key_id, role)
        self.root.add_key(self._keys.create(role).public_key, role)
        self._sign("root", also=old_root if role == "root" else None)
        if role != "root":
            for changed in (role, *below):
                self._sign(changed)

    def _is_due(self, role: str) -> bool:
        """Whether more than half of a lifetime is over, or the key was replaced."""
        metadata = self._roles[role]
        half = datetime.timedelta(days=getattr(self._lifetimes, role) / 2)
        if not _is_signed(self._roles["root"], role, metadata):
            return True
        return metadata.signed.expires - _now() <= half

    def _sign(self, role: str, also: Any = None) -> None:
        """Write the next version of a role's metadata.

        Args:
            role: The role.
            also: Another key to sign with.
        """
        metadata = self._roles[role]
        if role == "snapshot":
            self.snapshot.meta["targets.json"] = self._info("targets")
        elif role == "timestamp":
            self.timestamp.snapshot_meta = self._info("snapshot")
        days = getattr(self._lifetimes, role)
        metadata.signed.version += 1
        metadata.signed.expires = _now() + datetime.timedelta(days=days)
        metadata.sign(self._signer(role))
        if also is not None:
            metadata.sign(also, append=True)
        content = metadata.to_bytes(JSONSerializer(compact=False))
        files.write(self._path(role), content)

    def _info(self, role: str) -> MetaFile:
        """Version, length and hash of a role's file."""
        content = self._path(role).read_bytes()
        version = self._roles[role].signed.version
        return MetaFile.from_data(version, content, ["sha256"])

    def _signer(self, role: str) -> CryptoSigner:
        return self._keys.find(role, self.root.roles[role].keyids)

    def _path(self, role: str, version: int | None = None) -> Path:
        """The file of a role, in its present version if none is given."""
        if role == "timestamp":
            return self._folder / "timestamp.json"
        if version is None:
            version = self._roles[role].signed.version
        return self._folder / f"{version}.{role}.json"

    def _read_all(self, versions: Sequence[int]) -> None:
        """Read all roles, each verified, so that no damage is ever signed.

        Roots and timestamp have their signatures, the others a hash in the one above.
        """
        roots = [self._read("root", version) for version in versions]
        for version, root in zip(versions, roots, strict=True):
            if not _is_signed(root, "root", root):
                raise _damaged(self._path("root", version), "its signature is wrong")
        self._roles["root"] = roots[-1]
        timestamp = self._roles["timestamp"] = self._read("timestamp")
        # After an interrupted rotation, it is signed by a key of an earlier root.
        if not any(_is_signed(root, "timestamp", timestamp) for root in roots):
            raise _damaged(self._path("timestamp"), "its signature is wrong")
        described = self.timestamp.snapshot_meta
        self._roles["snapshot"] = self._read("snapshot", described.version, described)
        described = self.snapshot.meta["targets.json"]
        self._roles["targets"] = self._read("targets", described.version, described)

    def _read(
        self, role: str, version: int | None = None, described: MetaFile | None = None
    ) -> Metadata[Any]:
        """A role's metadata, which must be what another role's describes."""
        path = self._path(role, version)
        try:
            content = path.read_bytes()
            if described is not None:
                described.verify_length_and_hashes(content)
            metadata = Metadata[Any].from_bytes(content)
        except (OSError, RepositoryError, DeserializationError) as error:
            raise _damaged(path, error) from error
        if metadata.signed.type != role:
            raise _damaged(path, f"it is of {metadata.signed.type}")
        return metadata


def _is_signed(root: Metadata[Root], role: str, metadata: Metadata[Any]) -> bool:
    """Whether the keys that a root gives a role have signed some metadata."""
    content, signatures = metadata.signed_bytes, metadata.signatures
    try:
        root.signed.verify_delegate(role, content, signatures)
    except UnsignedMetadataError:
        return False
    return True


def _damaged(path: Path, reason: object) -> ValueError:
    return ValueError(f"{str(path)!r} cannot be read: {reason}")


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)
