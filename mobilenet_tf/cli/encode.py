"""Write a network in few bytes, losslessly.

Weights that are pruned, clustered or quantised take the fewest. With --base, what
changed since an older file of the same kind is written: .mntc, .keras or .tflite.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import mobilenet_tf
from mobilenet_tf.cli import networks
from mobilenet_tf.cli.flags import note

USAGE = "MODEL.keras --output=FILE.mntc | NEW --base=OLD --output=FILE.mntd"
ARGUMENTS = {"path": "--output", "old": "--base", "new": "NEW"}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument(
        "model",
        metavar=networks.FILE,
        type=networks.file_or_hub_name,
        help="a network, or the SqueezeNet authors' file, which ends in .net",
    )
    parser.add_argument(
        "--output", metavar="FILE.mntc", type=Path, required=True, help="file to write"
    )
    add_base(parser, "file of the network before; write the difference to it")
    add_max_weights(parser)


def add_base(parser: argparse.ArgumentParser, text: str) -> None:
    """Add the flag of the file that a difference is to."""
    parser.add_argument("--base", metavar="OLD", type=Path, help=text)


def add_max_weights(parser: argparse.ArgumentParser) -> None:
    """Add the flag that limits the size of a network."""
    parser.add_argument(
        "--max_weights",
        type=int,
        metavar="COUNT",
        help="refuse networks with more weights, default 67,108,864",
    )


def limit(options: argparse.Namespace) -> dict[str, int]:
    """That flag as arguments of the codec."""
    given = options.max_weights
    return {} if given is None else {"max_weights": given}


def limit_bytes(options: argparse.Namespace) -> dict[str, int]:
    """That flag as arguments of differences, of which a weight takes 4 bytes."""
    given = options.max_weights
    return {} if given is None else {"max_bytes": 4 * given}


def check_output(path: Path) -> None:
    """Raise ValueError where there is such a file already."""
    if path.exists():
        raise ValueError(f"--output must not exist yet, got {str(path)!r}")


def _check_kinds(base, new):
    """Raise ValueError for files that have little in common, whatever they hold."""
    kinds = [Path(str(file)).suffix for file in (base, new)]
    if Path(base).is_file() and kinds[0] != kinds[1]:
        raise ValueError(
            f"--base must be a file of the same kind as {new} ({kinds[1]}), "
            f"got {str(base)!r}"
        )


def run(options: argparse.Namespace) -> None:
    """Convert a Keras file to a compressed one."""
    from mobilenet_tf import codec

    source, output = options.model, options.output
    check_output(output)
    if options.base is not None:
        _check_kinds(options.base, source)
        sizes = codec.delta(options.base, source, output, **limit_bytes(options))
        share = sizes.delta_bytes / sizes.new_bytes
        note(
            f"written: {output}, {sizes.delta_bytes:,} bytes, {share:.1%} of the "
            f"{sizes.new_bytes:,} of {source}"
        )
        return
    if isinstance(source, Path) and source.suffix == ".net":
        model = mobilenet_tf.build_squeezenet(weights=source)
    else:
        model = networks.load(source)
    size = codec.save(model, output, **limit(options))
    bits = 8 * size / model.count_params()
    sentence = f"written: {output}, {size:,} bytes, {bits:.2f} bits per weight"
    if isinstance(source, Path):
        sentence += f"; {source} has {source.stat().st_size:,} bytes"
    note(sentence)
