"""Differences between two files: ways to write them, and records of their bytes."""

from __future__ import annotations

import functools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from experiments.trials import records
from mobilenet_tf import codec
from mobilenet_tf.packages import require


def ways() -> dict[str, tuple[Callable, Callable]]:
    """How a difference is written, `(old, new) -> bytes`, and applied.

    Raises:
        ImportError: A package of the extra `differences` is not installed.
    """
    bsdiff4, hdiffpatch, zstandard = require(
        "bsdiff4",
        "hdiffpatch",
        "zstandard",
        purpose="comparing differences",
        extra="differences",
    )

    def options(size):
        # A window over both files, without which the dictionary is out of reach.
        return zstandard.ZstdCompressionParameters.from_level(
            22, window_log=max(10, (size + 1).bit_length() + 1), source_size=size
        )

    def dictionary(old):
        return zstandard.ZstdCompressionDict(
            old, dict_type=zstandard.DICT_TYPE_RAWCONTENT
        )

    def zstd(old, new):
        parameters = options(len(old) + len(new))
        return zstandard.ZstdCompressor(
            dict_data=dictionary(old), compression_params=parameters
        ).compress(new)

    def unzstd(old, delta):
        return zstandard.ZstdDecompressor(dict_data=dictionary(old)).decompress(delta)

    return {
        "bsdiff4": (bsdiff4.diff, bsdiff4.patch),
        "HDiffPatch": (
            functools.partial(
                hdiffpatch.diff, compression=hdiffpatch.COMPRESSION_LZMA2
            ),
            hdiffpatch.apply,
        ),
        "zstandard": (zstd, unzstd),
        "codec.delta": (
            functools.partial(_by_files, codec.delta),
            functools.partial(_by_files, codec.apply),
        ),
    }


def _by_files(combine, old, other):
    """What a function of two files and the path of a third writes there."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("old", "other", "result")]
        for path, content in zip(paths, (old, other), strict=False):
            path.write_bytes(content)
        combine(*paths)
        return paths[-1].read_bytes()


def measure(old: bytes, new: bytes) -> dict[str, dict[str, float]]:
    """Bytes and seconds of every way between two files, each of them applied."""
    result = {}
    for name, (diff, patch) in ways().items():
        started = time.perf_counter()
        delta = diff(old, new)
        written = time.perf_counter()
        if patch(old, delta) != new:
            raise RuntimeError(f"{name} does not rebuild the new file")
        result[name] = {
            "bytes": len(delta),
            "diff_seconds": written - started,
            "apply_seconds": time.perf_counter() - written,
        }
    return result


def path(results: str | Path, name: str) -> Path:
    """The file of the records of a name in a folder of results."""
    return Path(results) / "over_the_air" / f"{name}.json"


def read(results: str | Path, name: str) -> list[dict]:
    """The records of a name; none where there is no file."""
    return records.read_list(path(results, name), "updates")


def write(results: str | Path, name: str, updates: list[dict]) -> None:
    """Write all records of a name, each with what it was measured with and on."""
    records.write(path(results, name), {"updates": updates})
