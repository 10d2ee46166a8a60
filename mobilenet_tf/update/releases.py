"""The list of releases: which versions of which networks a server offers to whom.

It is a target of the repository like any other file, so that it is signed. Both sides
use it: publishing writes it, devices read it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from typing import Any

TARGET = "releases.json"
FORMAT = 1
SUFFIXES = (".keras", ".tflite")


@dataclasses.dataclass(frozen=True)
class Release:
    """A version of a network.

    Attributes:
        version: 1, 2, 3, ...
        file: Target of the whole file.
        sha256: Of the whole file, in hexadecimal.
        size: Of the whole file, in bytes.
        image: Target of the image of the self-test, a PNG file.
        expected: Index of the class that the network must give for it.
        label: Name of that class, for messages.
        rollout: Share of the devices that are offered this version, from 0 to 1.
        deltas: The target of a delta by the SHA-256 of the file it starts from.
    """

    version: int
    file: str
    sha256: str
    size: int
    image: str
    expected: int
    label: str
    rollout: float = 1.0
    deltas: dict[str, str] = dataclasses.field(default_factory=dict)

    def targets(self) -> set[str]:
        """All targets that a device may fetch for this release."""
        return {self.file, self.image, *self.deltas.values()}


@dataclasses.dataclass
class Network:
    """The releases of a network.

    Attributes:
        releases: Those that are offered, oldest first.
        versions: The version of every file ever published, by its SHA-256.
    """

    releases: list[Release] = dataclasses.field(default_factory=list)
    versions: dict[str, int] = dataclasses.field(default_factory=dict)

    def set_rollout(self, rollout: float) -> Release:
        """Offer the newest release to a share of the devices; gives the release."""
        self.releases[-1] = dataclasses.replace(self.releases[-1], rollout=rollout)
        self._drop_superseded()
        return self.releases[-1]

    def add(self, release: Release) -> None:
        """Add a new version."""
        self.releases.append(release)
        self.versions[release.sha256] = release.version
        self._drop_superseded()

    def offered(self, name: str, device_id: str) -> Release | None:
        """The newest release that a device is offered, if any.

        Which devices are the first to get a version follows from a hash, differs from
        version to version, and a larger roll-out includes the devices of a smaller one.

        Args:
            name: The network's name.
            device_id: The device's.
        """
        for release in reversed(self.releases):
            if _position(name, release.version, device_id) < release.rollout:
                return release
        return None

    def _drop_superseded(self) -> None:
        """Keep the newest release, and those that devices get while it is held back."""
        earlier = self.releases[:-1]
        for_all = [i for i, item in enumerate(earlier) if item.rollout == 1]
        if for_all:
            del self.releases[: for_all[-1]]


def read(content: bytes) -> dict[str, Network]:
    """The networks of a list of releases by name.

    Raises:
        ValueError: It is damaged or of a newer format.
    """
    try:
        document = json.loads(content)
        if document["format"] != FORMAT:
            raise ValueError(
                f"{TARGET} has format {document['format']!r}, this version of "
                f"mobilenet_tf reads format {FORMAT}"
            )
        return {
            _text(name): _network(fields)
            for name, fields in document["networks"].items()
        }
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{TARGET} is damaged: {error!r}") from error


def write(networks: dict[str, Network]) -> bytes:
    """The list of releases as JSON."""
    fields = {name: dataclasses.asdict(network) for name, network in networks.items()}
    document = {"format": FORMAT, "networks": fields}
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True).encode()


def only(networks: Iterable[str], name: str | None) -> str:
    """The name of a network, which may be left out where there is just one.

    Raises:
        ValueError: There is no such network, or it must be named.
    """
    names = sorted(networks)
    if name is None and len(names) == 1:
        return names[0]
    if name not in names:
        raise ValueError(
            f"name must be one of the networks published, {', '.join(names) or 'none'}"
            f"; got {name!r}"
        )
    return name


def _position(name: str, version: int, device_id: str) -> float:
    """Where a device stands in the order of a roll-out, in [0, 1)."""
    digest = hashlib.sha256(f"{name}/{version}/{device_id}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _network(fields: dict[str, Any]) -> Network:
    releases = [
        Release(
            version=int(item["version"]),
            file=_text(item["file"]),
            sha256=_text(item["sha256"]),
            size=int(item["size"]),
            image=_text(item["image"]),
            expected=int(item["expected"]),
            label=_text(item["label"]),
            rollout=float(item["rollout"]),
            deltas={_text(k): _text(v) for k, v in item["deltas"].items()},
        )
        for item in fields["releases"]
    ]
    versions = {_text(k): int(v) for k, v in fields["versions"].items()}
    return Network(sorted(releases, key=lambda item: item.version), versions)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no string")
    return value
