"""Turn a file of `encode` into a Keras file, bit by bit the same weights.

With --base, a difference becomes the file that it was made of, byte by byte the same.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import mobilenet_tf
from mobilenet_tf.cli import encode
from mobilenet_tf.cli.flags import written

USAGE = "FILE.mntc --output=MODEL.keras | FILE.mntd --base=OLD --output=NEW"
ARGUMENTS = {"path": "--output", "old": "--base", "delta": "FILE"}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument("file", metavar="FILE.mntc", type=Path, help="file of `encode`")
    parser.add_argument(
        "--output",
        metavar="MODEL.keras",
        type=Path,
        required=True,
        help="file to write",
    )
    encode.add_base(parser, "file that a difference was made to")
    encode.add_max_weights(parser)


def run(options: argparse.Namespace) -> None:
    """Convert a compressed file to a Keras one."""
    from mobilenet_tf import codec

    encode.check_output(options.output)
    if options.base is not None:
        limit = encode.limit_bytes(options)
        codec.apply(options.base, options.file, options.output, **limit)
        written(options.output)
        return
    model = codec.load(options.file, **encode.limit(options))
    mobilenet_tf.save_model(model, options.output)
    written(options.output)
