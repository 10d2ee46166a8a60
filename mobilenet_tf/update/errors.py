"""What a failed update says: an `UpdateError` that names the reason."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tuf.api import exceptions

from mobilenet_tf import files

_REFUSED = {
    exceptions.ExpiredMetadataError: "what the server offers has expired, so that "
    "newer versions may be held back (or the device's clock is wrong)",
    exceptions.BadVersionNumberError: "the server offers an older state than this "
    "device has seen, as in a replay",
    exceptions.UnsignedMetadataError: "the server's files are not signed by the keys "
    "that this device trusts",
    exceptions.LengthOrHashMismatchError: "a file differs from what is signed",
    exceptions.RepositoryError: "the server's files cannot be verified",
}


class UpdateError(Exception):
    """An update is refused or cannot be had; the old network stays in place."""


@contextlib.contextmanager
def as_update_errors() -> Iterator[None]:
    """Turn errors of the server, the framework and the disk into `UpdateError`."""
    try:
        yield
    except exceptions.DownloadError as error:
        reason = str(error) or type(error).__name__
        raise UpdateError(f"the server cannot be reached or fails: {reason}") from error
    except exceptions.RepositoryError as error:
        meaning = next(_REFUSED[kind] for kind in _REFUSED if isinstance(error, kind))
        raise UpdateError(f"refused, {meaning}: {error}") from error
    except OSError as error:
        full = files.is_of_full_disk(error)
        what = "the disk is full" if full else "a file cannot be used"
        raise UpdateError(f"{what}: {error}") from error
