"""Downloads that are bounded, go on where they were cut, and end where they are slow.

The Update Framework's client asks a fetcher for bytes, and verifies what it gets. This
one keeps what it has received of a target in a file, and asks for the rest next time.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import io
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from tuf.api import exceptions
from tuf.ngclient.fetcher import FetcherInterface

SECONDS = 30.0
_LEAST_BYTES_PER_SECOND = 256
_BLOCK = 1 << 16
_SCHEMES = ("http://", "https://", "file://")


class Fetcher(FetcherInterface):
    """Fetches the files of an update server.

    Args:
        url: The server's folder: http, https, or file for one on a memory card.
        folder: For what has arrived of targets; it exists.
        seconds: How long the server may be silent, or slower than 256 bytes/s.

    Attributes:
        received: Bytes of all answers.
        resumed: Whether a target went on from what had arrived before.
    """

    def __init__(self, url: str, folder: Path, seconds: float = SECONDS):
        if not url.startswith(_SCHEMES):
            raise ValueError(
                f"url must begin with {' or '.join(_SCHEMES)}, got {url!r}"
            )
        self.url = url.rstrip("/")
        self.received, self.resumed = 0, False
        self._folder, self._seconds = folder, seconds

    @contextlib.contextmanager
    def download_file(self, url: str, max_length: int) -> Iterator[IO]:
        """A file's content; what is cut short goes on here in the next call.

        Args:
            url: The file's address.
            max_length: Its length at most, which for a target is its signed length.
        """
        if not url.startswith(f"{self.url}/targets/"):
            yield self._in_memory(url, max_length)
            return
        partial = self._partial(url)
        with partial.open("a+b") as file:
            try:
                self._complete(url, file, max_length)
            except exceptions.DownloadHTTPError as error:
                if error.status_code == 416:  # the server has less than there is here
                    file.truncate(0)  # so that the next call begins anew
                raise
            file.seek(0)
            try:
                yield file
            except exceptions.RepositoryError:  # other bytes than those that are signed
                partial.unlink()
                raise
        partial.unlink()

    def keep(self, targets: Iterable[str]) -> None:
        """Delete what has arrived of other targets, as of versions that are superseded.

        Args:
            targets: Paths below the server's folder `targets`, hashes included.
        """
        kept = {self._partial(f"{self.url}/targets/{target}") for target in targets}
        for path in set(self._folder.iterdir()) - kept:
            path.unlink()

    def _partial(self, url: str) -> Path:
        """Where a target arrives, until it is whole.

        The address has the content's hash in it, so the content cannot have changed.
        """
        return self._folder / hashlib.sha256(url.encode()).hexdigest()[:32]

    def _in_memory(self, url: str, length: int) -> IO[bytes]:
        """A small file, without a temporary one: there may be no room for it."""
        content = bytearray()
        for block in self._fetch(url):
            content += block
            if len(content) > length:
                raise exceptions.DownloadLengthMismatchError(
                    f"{url} is longer than {length:,} bytes"
                )
        return io.BytesIO(content)

    def _complete(self, url: str, file: IO[bytes], length: int) -> None:
        """Append to a file what is missing of a target."""
        present = file.seek(0, 2)
        if present > length:
            present = file.truncate(0)
        self.resumed = present > 0
        if present == length:
            return
        with self._open(url, present) as response:
            if present and getattr(response, "status", None) != 206:
                present = file.truncate(0)  # the server knows no ranges
            for block in self._blocks(url, response):
                present += len(block)
                if present > length:
                    file.truncate(0)
                    raise exceptions.DownloadLengthMismatchError(
                        f"{url} is longer than the {length:,} bytes that are signed"
                    )
                file.write(block)
                file.flush()  # what has arrived survives the end of this process

    def _fetch(self, url: str) -> Iterator[bytes]:
        with self._open(url) as response:
            yield from self._blocks(url, response)

    @contextlib.contextmanager
    def _open(self, url: str, start: int = 0) -> Iterator[Any]:
        request = urllib.request.Request(url, headers={"User-Agent": "mobilenet_tf"})
        if start:
            request.add_header("Range", f"bytes={start}-")
        with _as_download_errors(url):
            response = urllib.request.urlopen(request, timeout=self._seconds)
        with response:
            yield response

    def _blocks(self, url: str, response: Any) -> Iterator[bytes]:
        """What arrives, as it arrives; an error where it is slow or ends early."""
        size = _size(url, response)
        arrived, since, at_since = 0, time.monotonic(), 0
        while True:
            with _as_download_errors(url):
                # At most one read from the socket, whose time is limited.
                block = response.read1(_BLOCK)
            if not block:
                break
            arrived += len(block)
            self.received += len(block)
            yield block
            elapsed = time.monotonic() - since
            if elapsed > self._seconds:
                if arrived - at_since < _LEAST_BYTES_PER_SECOND * elapsed:
                    raise _slow(url)
                since, at_since = time.monotonic(), arrived
        if size is not None and arrived != size:
            raise exceptions.DownloadError(
                f"{url} was cut after {arrived:,} of {size:,} bytes; the next "
                "update goes on from there"
            )


def _size(url: str, response: Any) -> int | None:
    """How many bytes the server says are to come, if it says so."""
    text = response.headers.get("Content-Length")
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise exceptions.DownloadError(
            f"{url}: the server says {text[:40]!r} as Content-Length, which is no "
            "number of bytes"
        )
    return int(text)


@contextlib.contextmanager
def _as_download_errors(url: str) -> Iterator[None]:
    """Turn the errors of the network into those that the framework expects."""
    try:
        yield
    except urllib.error.HTTPError as error:
        raise exceptions.DownloadHTTPError(f"{url}: {error}", error.code) from error
    except TimeoutError as error:
        raise _slow(url) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        # ValueError: the server redirects to what is no address.
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            raise _slow(url) from error
        if isinstance(reason, FileNotFoundError):  # of file://
            raise exceptions.DownloadHTTPError(f"{url}: {reason}", 404) from error
        raise exceptions.DownloadError(f"{url}: {reason}") from error


def _slow(url: str) -> exceptions.SlowRetrievalError:
    return exceptions.SlowRetrievalError(f"{url} arrives too slowly")
