"""List the tensors of a file of `encode`, and the bytes of each."""

from __future__ import annotations

import argparse
from pathlib import Path

from mobilenet_tf.cli import encode
from mobilenet_tf.cli.flags import note

USAGE = "FILE.mntc"
ARGUMENTS: dict[str, str] = {}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument("file", metavar="FILE.mntc", type=Path, help="file of `encode`")
    encode.add_max_weights(parser)


def run(options: argparse.Namespace) -> None:
    """Print a line for each tensor."""
    from mobilenet_tf import codec

    content = options.file.read_bytes()
    try:
        tensors = codec.inspect(content, **encode.limit(options))
    except ValueError as error:
        raise ValueError(f"{str(options.file)!r} cannot be read: {error}") from error
    for name, kind, shape, size in tensors:
        sides = "x".join(map(str, shape))
        note(f"{name:32} {sides:>14} {kind:>20} {size:>10,} bytes")
    note(f"{len(content):,} bytes in all")
