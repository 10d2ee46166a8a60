"""Downloads into a cache folder: files appear complete and verified, or not at all."""

from __future__ import annotations

import hashlib
import http.client
import sys
import time
import urllib.request
from pathlib import Path

from mobilenet_tf import files

TIMEOUT_SECONDS = 30.0
_BLOCK = 1 << 16
_REPORT_SECONDS = 2.0


def cached(
    url: str,
    path: Path,
    sha256: str | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> Path:
    """The file of a URL, downloaded unless it is in the cache.

    The file appears by atomic rename once its length and hash are correct. Where no
    hash is known, that of the first download is kept beside the file, in
    `{name}.sha256`, and a file that has changed since then is rejected.

    Args:
        url: Where the file is published.
        path: Where it is cached.
        sha256: Its hash in hexadecimal, where it is known.
        timeout_seconds: How long the server may be silent.

    Returns:
        `path`.

    Raises:
        ValueError: The file cannot be downloaded, is truncated, or has another hash.
    """
    record = path.with_name(f"{path.name}.sha256")
    if sha256 is None and record.exists():
        sha256 = record.read_text(errors="replace").strip()
    if path.exists():
        digest = files.digest(path)
        _check(path, digest, sha256)
    else:
        files.make_folder(path.parent)
        with files.replacing(path) as partial:
            with partial.open("wb") as file:
                digest = _receive(url, file, timeout_seconds)
            _check(url, digest, sha256)
    if sha256 is None:
        files.write(record, f"{digest}\n")
    return path


def _receive(url, file, timeout_seconds):
    """Write what the server sends to a file; return its hash."""
    digest, received = hashlib.sha256(), 0
    try:
        with urllib.request.urlopen(url, timeout=timeout_seconds) as response:
            size = int(response.headers.get("Content-Length") or 0)
            if not size and not response.chunked:
                raise ValueError(
                    f"{url} is sent without its length, so that a truncated file would "
                    "not be noticed"
                )
            reported = time.monotonic()
            while block := response.read(_BLOCK):
                file.write(block)
                digest.update(block)
                received += len(block)
                if time.monotonic() - reported > _REPORT_SECONDS:
                    reported = time.monotonic()
                    _report(url, received, size)
    # A timeout is an OSError; a truncated chunked response is an HTTPException.
    except (OSError, http.client.HTTPException) as error:
        raise ValueError(f"{url} cannot be downloaded: {error}") from error
    if size and received != size:
        raise ValueError(
            f"{url} was truncated after {received:,} of {size:,} bytes; try again"
        )
    return digest.hexdigest()


def _report(url, received, size):
    share = f" of {size / 1e6:.1f}" if size else ""
    print(f"{url}: {received / 1e6:.1f}{share} MB", file=sys.stderr, flush=True)


def _check(source, digest, expected):
    if expected is not None and digest != expected:
        raise ValueError(
            f"{str(source)!r} has the SHA-256 {digest}, expected {expected}; it is "
            "damaged or has been changed, delete it if it is a local file"
        )
