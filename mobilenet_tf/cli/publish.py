"""Put a network onto an update server, a folder of signed static files.

The folder and the keys are made the first time. The keys stay out of the folder.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from mobilenet_tf import update
from mobilenet_tf.cli.flags import note, ratio
from mobilenet_tf.update.signing import ROLES

USAGE = (
    "[NETWORK] --repository=DIR --keys=DIR [flags]\n"
    "       mobilenet_tf publish NETWORK --image=FILE --expected=CLASS ...\n"
    "       mobilenet_tf publish --rollout=SHARE | --renew | --rotate=ROLE ..."
)
ARGUMENTS = {
    "path": "NETWORK",
    "folder": "--repository",
    "delta_count": "--deltas",
    "role": "--rotate",
}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument(
        "network",
        metavar="NETWORK",
        nargs="?",
        type=Path,
        help="a new version: .tflite of `export`, or .keras",
    )
    parser.add_argument(
        "--repository",
        metavar="DIR",
        type=Path,
        required=True,
        help="folder to publish in, which a web server serves",
    )
    parser.add_argument(
        "--keys",
        metavar="DIR",
        type=Path,
        action="append",
        required=True,
        help="private keys; several such flags name several folders",
    )
    parser.add_argument("--name", help="name of the network, if there are several")
    group = parser.add_argument_group("a new version")
    group.add_argument(
        "--image",
        metavar="FILE",
        type=Path,
        help="photograph for the self-test of devices",
    )
    group.add_argument(
        "--expected",
        metavar="CLASS",
        help="class that the network must predict for --image",
    )
    group.add_argument(
        "--deltas",
        metavar="COUNT",
        type=int,
        default=3,
        help="earlier versions to make deltas from, default 3",
    )
    group.add_argument(
        "--rollout",
        type=ratio,
        metavar="SHARE",
        help="share of the devices that get the newest version, default 1; without "
        "NETWORK it is changed for the published version",
    )
    group = parser.add_argument_group("signatures")
    group.add_argument(
        "--renew",
        action="store_true",
        help="renew signatures before they expire; run it daily",
    )
    group.add_argument(
        "--rotate", choices=ROLES, metavar="ROLE", help="replace a role's key"
    )
    for role, days in dataclasses.asdict(update.Lifetimes()).items():
        group.add_argument(
            f"--{role}_days",
            type=float,
            default=days,
            metavar="DAYS",
            help=f"days until a signature of {role} expires, default {days:g}",
        )


def run(options: argparse.Namespace) -> None:
    """Publish, change a roll-out, renew or rotate."""
    network, rollout = options.network, options.rollout
    actions = [network is not None, options.renew, options.rotate is not None]
    if sum(actions) > 1 or not (any(actions) or rollout is not None):
        raise ValueError("NETWORK, --rollout, --renew or --rotate must be given")
    if network is None and (options.image or options.expected is not None):
        raise ValueError("--image and --expected need NETWORK")
    if rollout is not None and (options.renew or options.rotate):
        raise ValueError("--rollout is not used where --renew or --rotate is given")
    days = {role: getattr(options, f"{role}_days") for role in ROLES}
    repository = update.Repository(
        options.repository, options.keys, update.Lifetimes(**days), note
    )
    if options.renew:
        repository.renew()
    elif options.rotate is not None:
        repository.rotate_key(options.rotate)
    elif network is None:
        repository.set_rollout(rollout, options.name)
    elif options.image is None or options.expected is None:
        raise ValueError("--image and --expected must be given with NETWORK")
    else:
        repository.publish(
            network,
            options.image,
            options.expected,
            name=options.name,
            rollout=1.0 if rollout is None else rollout,
            delta_count=options.deltas,
        )
