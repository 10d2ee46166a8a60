"""The private keys of a repository: a file for each, outside the folder that is served.

The Update Framework has four roles, each with a key of its own:

- root says which keys the other roles have; it is needed to replace keys only.
- targets signs which files are networks; it is needed to publish.
- snapshot signs which versions of the targets' list belong together.
- timestamp signs, again and again, that this is still the newest state.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner

from mobilenet_tf import arguments, files

ROLES = ("root", "targets", "snapshot", "timestamp")
PASSWORD_VARIABLE = "MOBILENET_TF_KEYS_PASSWORD"


@dataclasses.dataclass(frozen=True)
class Lifetimes:
    """For how many days a signature is valid.

    A device refuses what has expired, so that nobody can hold it at an old state for
    longer than the shortest of these.

    Attributes:
        root: Until it must be signed again, with the key that is kept offline.
        targets: The same for the list of files.
        snapshot: The same for the list of lists.
        timestamp: How long a device goes on where nobody renews.
    """

    root: float = 365.0
    targets: float = 90.0
    snapshot: float = 30.0
    timestamp: float = 7.0

    def __post_init__(self) -> None:
        for role in ROLES:
            value = getattr(self, role)
            arguments.number(f"{role} lifetime", value, lambda days: days > 0, "> 0")


class Keys:
    """Folders of key files, `ROLE.KEYID.pem`, that may be on different machines.

    Where the environment variable MOBILENET_TF_KEYS_PASSWORD is set, files are written
    encrypted with it, and encrypted files are read with it.

    Args:
        folders: Existing or not; new keys are written into the first.
    """

    def __init__(self, folders: Sequence[str | os.PathLike]):
        if not folders:
            raise ValueError("keys must name at least one folder")
        self.folders = [Path(folder) for folder in folders]

    def create(self, role: str) -> CryptoSigner:
        """Make a key, and write it where only this user can read it."""
        private_key = Ed25519PrivateKey.generate()
        signer = CryptoSigner(private_key)
        folder = self.folders[0]
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"{role}.{signer.public_key.keyid[:16]}.pem"
        files.write(path, _pem(private_key), mode=0o600)
        return signer

    def find(self, role: str, key_ids: Iterable[str]) -> CryptoSigner:
        """The key of a role.

        Args:
            role: The role.
            key_ids: The identifiers of its keys.

        Raises:
            ValueError: No folder has it, or its file cannot be read.
        """
        key_ids = list(key_ids)
        names = [f"{role}.{key_id[:16]}.pem" for key_id in key_ids]
        for folder in self.folders:
            for name in names:
                if (folder / name).is_file():
                    signer = _read(folder / name)
                    if signer.public_key.keyid not in key_ids:
                        raise ValueError(
                            f"key {str(folder / name)!r} is damaged: it is another"
                        )
                    return signer
        folders = ", ".join(str(folder) for folder in self.folders)
        raise ValueError(f"keys must hold {' or '.join(names)}, which {folders} do not")

    def any(self) -> bool:
        """Whether there are key files."""
        return any(next(folder.glob("*.pem"), None) for folder in self.folders)


def _password() -> bytes | None:
    return os.environ.get(PASSWORD_VARIABLE, "").encode() or None


def _pem(private_key: Ed25519PrivateKey) -> bytes:
    password = _password()
    encryption: serialization.KeySerializationEncryption
    if password is None:
        encryption = serialization.NoEncryption()
    else:
        encryption = serialization.BestAvailableEncryption(password)
    return private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


def _read(path: Path) -> CryptoSigner:
    content, password = path.read_bytes(), _password()
    encrypted = b"BEGIN ENCRYPTED" in content
    try:
        private_key = serialization.load_pem_private_key(
            content, password if encrypted else None
        )
        return CryptoSigner(private_key)
    except (InternalError, TypeError, UnsupportedAlgorithm, ValueError) as error:
        hint = f"; is {PASSWORD_VARIABLE} set to its password?" if encrypted else ""
        raise ValueError(f"key {str(path)!r} cannot be read: {error}{hint}") from error
