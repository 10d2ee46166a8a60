"""Bring the network on this device up to date, or back to the one before.

A new network is verified and tested before it replaces the old one in one step. Without
one, or where one is refused, the old network stays. The exit code is 0 where all is as
it should be, 1 where an update could not be had, 2 where an argument is wrong.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mobilenet_tf import update
from mobilenet_tf.cli.flags import as_flags, note
from mobilenet_tf.update import client, download

USAGE = "NETWORK --url=URL [flags]\n       mobilenet_tf update NETWORK --back"
ARGUMENTS = {"path": "NETWORK", "trusted_root": "--root"}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument(
        "network",
        metavar="NETWORK",
        type=Path,
        help="the file that the device runs, .tflite or .keras",
    )
    parser.add_argument("--url", help="published folder: an http, https or file URL")
    parser.add_argument(
        "--root",
        metavar="FILE",
        type=Path,
        help="the server's 1.root.json, from a trusted source; needed the first time",
    )
    parser.add_argument("--name", help="name of the network, if the server has several")
    parser.add_argument(
        "--device_id",
        metavar="TEXT",
        help="decides when this device gets a version; default: random, made once",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=download.SECONDS,
        help=f"stop after so long without an answer, default {download.SECONDS:g}",
    )
    parser.add_argument(
        "--max_bytes",
        type=int,
        default=client.MAX_BYTES,
        metavar="COUNT",
        help=f"reject larger files, default {client.MAX_BYTES:,}",
    )
    parser.add_argument(
        "--retry",
        action="store_true",
        help="install a version that was rejected before, too",
    )
    parser.add_argument(
        "--back",
        action="store_true",
        help="restore the previous network; this one is not installed again",
    )


def run(options: argparse.Namespace) -> None:
    """Update or go back, and print what was done."""
    if options.back == (options.url is not None):
        raise ValueError("either --url or --back must be given")
    try:
        if options.back:
            outcome = update.go_back(options.network)
        else:
            outcome = update.install(
                options.network,
                options.url,
                trusted_root=options.root,
                name=options.name,
                device_id=options.device_id,
                seconds=options.seconds,
                max_bytes=options.max_bytes,
                retry=options.retry,
                report=note,
            )
    except update.UpdateError as error:
        message = as_flags(str(error), options.flags)
        raise SystemExit(f"mobilenet_tf update: {message}") from error
    note(outcome.message)
