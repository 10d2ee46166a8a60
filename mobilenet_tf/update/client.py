"""The client: whether there is a newer network, and how it comes onto the device."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tuf.api import exceptions
from tuf.api.metadata import TargetFile
from tuf.ngclient import Updater

from mobilenet_tf import arguments, files
from mobilenet_tf.update import deltas, download, releases, self_test
from mobilenet_tf.update.device import Device, Outcome
from mobilenet_tf.update.errors import UpdateError, as_update_errors
from mobilenet_tf.update.releases import Release

MAX_BYTES = 1 << 30
# Of HTTP: a server that fails otherwise may have the file later.
_MISSING = (403, 404, 410)
# A delta that is damaged on the server, was made for another file, or needs the codec.
_BAD_DELTA = (
    ImportError,
    ValueError,
    exceptions.DownloadLengthMismatchError,
    exceptions.LengthOrHashMismatchError,
)
Report = Callable[[str], None]


def install(
    path: str | os.PathLike,
    url: str,
    *,
    trusted_root: str | os.PathLike | None = None,
    name: str | None = None,
    device_id: str | None = None,
    seconds: float = download.SECONDS,
    max_bytes: int = MAX_BYTES,
    retry: bool = False,
    report: Report = print,
) -> Outcome:
    """Bring a network up to date; the file in place is a whole, tested one throughout.

    What can be had as a delta from the file in place is; else the whole file comes. It
    is verified, runs its self-test, and replaces the old file by an atomic rename.

    Args:
        path: The network's file, `.keras` or `.tflite`, which need not exist yet.
        url: Address of the folder that `Repository` has made.
        trusted_root: The repository's `1.root.json`, from a source that is trusted; it
            must be given the first time, and is remembered.
        name: The network's, if the repository has several.
        device_id: Decides when the device takes part in a roll-out; None means a random
            identifier, made the first time.
        seconds: How long the server may be silent.
        max_bytes: Larger files are refused before they are downloaded.
        retry: Install a version also if it was refused here before.
        report: Gets a line of text for each thing that does not go as usual.

    Raises:
        ImportError: What runs the network's file is not installed.
        UpdateError: The server cannot be reached, what it gives cannot be trusted, the
            disk is full, or the network fails its self-test. The old one is in place.
        ValueError: An argument is not legal.
    """
    arguments.number("seconds", seconds, lambda value: value > 0, "> 0")
    arguments.integer("max_bytes", max_bytes)
    device = Device(path)
    with as_update_errors(), device.opened():
        client = _Client(device, url, trusted_root, seconds, max_bytes, report)
        if device_id is not None:
            device.state.device_id = device_id
        if retry:
            device.state.refused.clear()
        return client.update(name)


class _DurableUpdater(Updater):
    """The framework's client, whose files survive a power cut.

    An attacker could otherwise offer an older state after one that is lost.
    """

    def _persist_file(self, filename: str, data: bytes) -> None:
        files.write(filename, data)


class _Client:
    """One update of a device."""

    def __init__(
        self,
        device: Device,
        url: str,
        trusted_root: str | os.PathLike | None,
        seconds: float,
        max_bytes: int,
        report: Report,
    ):
        self._device, self._report, self._max_bytes = device, report, max_bytes
        self._fetcher = download.Fetcher(url, device.partial, seconds)
        device.trust(trusted_root)
        try:
            self._tuf = _DurableUpdater(
                metadata_dir=str(device.metadata),
                metadata_base_url=f"{self._fetcher.url}/metadata",
                target_base_url=f"{self._fetcher.url}/targets",
                fetcher=self._fetcher,
                bootstrap=device.trusted_root.read_bytes(),
            )
        except exceptions.RepositoryError as error:
            raise UpdateError(
                f"{str(device.trusted_root)!r} is damaged ({error}); delete it and "
                "give trusted_root again"
            ) from error

    def update(self, name: str | None) -> Outcome:
        """See `install`."""
        device, state = self._device, self._device.state
        self._tuf.refresh()
        try:
            networks = releases.read(self._content(releases.TARGET))
        except ValueError as error:
            raise UpdateError(str(error)) from error
        name = releases.only(networks, name)
        network = networks[name]
        digest = device.digest()
        version = 0 if digest is None else network.versions.get(digest, 0)
        release = network.offered(name, state.device_id)
        if release is None or (digest is not None and release.version <= version):
            status = "up to date" if release else "nothing newer is offered"
            return self._unchanged(version, f"{status}: version {version}")
        if release.sha256 in state.refused:
            reason = state.refused[release.sha256]
            status = f"version {release.version} stays out: {reason}"
            return self._unchanged(version, status)
        if Path(release.file).suffix != device.path.suffix:
            raise UpdateError(
                f"version {release.version} is a {Path(release.file).suffix} file, but "
                f"the device's network is {device.path.name}"
            )
        self._fetcher.keep(self._paths(release, digest))
        way = self._fetch(release, digest)
        self._test(release)
        state.versions[release.sha256] = release.version
        if digest is not None:
            state.versions[digest] = version
        device.write_state()
        device.swap()
        return self._outcome(
            True,
            release.version,
            f"updated: version {version} -> {release.version}, by {way}, "
            f"{self._fetcher.received:,} bytes received",
        )

    def _unchanged(self, version: int, message: str) -> Outcome:
        """Nothing is to be had: nor is what has arrived of it wanted any more."""
        self._fetcher.keep(())
        self._device.write_state()
        return self._outcome(False, version, message)

    def _outcome(self, changed: bool, version: int, message: str) -> Outcome:
        return Outcome(changed, version, message, self._fetcher.received)

    def _paths(self, release: Release, digest: str | None) -> list[str]:
        """What may be fetched for a release, as paths on the server."""
        targets = (release.file, release.image, release.deltas.get(digest or ""))
        entries = (self._tuf.get_targetinfo(target) for target in targets if target)
        return [entry.get_prefixed_paths()[0] for entry in entries if entry]

    def _fetch(self, release: Release, digest: str | None) -> str:
        """Make the candidate; returns by which way."""
        whole = self._target(release.file)
        candidate = self._device.candidate
        delta = release.deltas.get(digest or "")
        if delta is not None:
            path = self._device.folder / "arriving.delta"
            entry = self._target(delta)
            try:
                self._download(entry, path)
                deltas.apply(self._device.path, path, candidate, whole.length)
                with candidate.open("rb") as file:
                    whole.verify_length_and_hashes(file)
                return "delta"
            except exceptions.DownloadHTTPError as error:
                if error.status_code not in _MISSING:
                    raise
                self._report(f"there is no delta, the whole file is taken: {error}")
            except _BAD_DELTA as error:
                self._report(f"the delta is refused, the whole file is taken: {error}")
            finally:
                path.unlink(missing_ok=True)
        self._download(whole, candidate)
        return "whole file"

    def _test(self, release: Release) -> None:
        """Run the candidate's self-test, and remember it."""
        device, state = self._device, self._device.state
        target = self._target(release.image)
        digest = target.hashes["sha256"]
        image = device.tests / f"{digest}.png"
        if self._tuf.find_cached_target(target, str(image)) is None:
            arriving = device.tests / f"{digest}.new"
            self._download(target, arriving)
            files.rename(arriving, image)
        try:
            self_test.run(device.candidate, image, release.expected, release.label)
        except self_test.SelfTestError as error:
            reason = f"it failed its self-test: {error}"
            state.refused[release.sha256] = reason
            device.candidate.unlink()
            device.write_state()
            raise UpdateError(
                f"version {release.version} is refused: {reason}"
            ) from error
        state.tests[release.sha256] = (digest, release.expected, release.label)

    def _download(self, entry: TargetFile, path: Path) -> None:
        """Download and verify a file."""
        try:
            self._tuf.download_target(entry, str(path))
        except exceptions.LengthOrHashMismatchError:
            if not self._fetcher.resumed:
                raise
            # What had arrived before was damaged, and has been deleted.
            self._tuf.download_target(entry, str(path))

    def _target(self, target: str) -> TargetFile:
        entry = self._tuf.get_targetinfo(target)
        if entry is None:
            raise UpdateError(f"the server lists no {target}")
        if entry.length > self._max_bytes:
            raise UpdateError(
                f"{target} has {entry.length:,} bytes, more than max_bytes, "
                f"{self._max_bytes:,}"
            )
        return entry

    def _content(self, target: str) -> bytes:
        path = self._device.folder / "arriving.json"
        self._download(self._target(target), path)
        content = path.read_bytes()
        path.unlink()
        return content
