"""Parses the command line, runs a command, and says in one line what is wrong.

From a folder of photographs to a verified file:

    mobilenet_tf fit --images=photos --alpha=0.5 --rho=5/7 --weights=imagenet \\
        --output=run
    mobilenet_tf export run/model.keras --format=litert_int8 --images=photos
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence

import mobilenet_tf
from mobilenet_tf import processor
from mobilenet_tf.cli.flags import Formatter, Parser, as_flags

COMMANDS = (
    *("fit", "evaluate", "predict", "compress", "export", "encode", "decode"),
    *("inspect", "publish", "update"),
)


def parser(commands: Sequence[str] = COMMANDS) -> Parser:
    """The parser of some commands, whose modules are imported."""
    whole = Parser(
        prog="mobilenet_tf",
        description="Small image classifiers: train, measure, compress, deploy.",
        epilog="`mobilenet_tf COMMAND --help` lists the flags of a command.",
        formatter_class=Formatter,
    )
    version = f"mobilenet_tf {mobilenet_tf.__version__}"
    whole.add_argument("--version", action="version", version=version)
    subparsers = whole.add_subparsers(metavar="COMMAND", required=True)
    for name in commands:
        command = processor.import_quietly(f"mobilenet_tf.cli.{name}")
        summary = (command.__doc__ or "").partition("\n")[0].rstrip(".")
        own = subparsers.add_parser(
            name,
            help=summary,
            description=f"{summary}.",
            usage=f"mobilenet_tf {name} {command.USAGE}",
            formatter_class=Formatter,
            allow_abbrev=False,
        )
        command.add_flags(own)
        flags = {action.dest: f"--{action.dest}" for action in own._actions}
        own.set_defaults(
            run=command.run, fail=own.error, flags=flags | command.ARGUMENTS
        )
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code is 0, or 2 where an argument is wrong.

    Args:
        arguments: Words of the command line; None means those of this process.
    """
    if arguments is None:
        arguments = sys.argv[1:]
    # The others take seconds to import, and what they need may not be installed.
    named = [name for name in COMMANDS if name in arguments[:1]]
    options = parser(named or COMMANDS).parse_args(arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of libraries
        warnings.showwarning = lambda message, *_, **__: print(
            f"warning: {as_flags(str(message), options.flags)}", file=sys.stderr
        )
        try:
            options.run(options)
        except (ImportError, OSError, ValueError) as error:
            options.fail(as_flags(str(error), options.flags))
        except KeyboardInterrupt:
            print(f"\n{options.fail.__self__.prog}: interrupted", file=sys.stderr)
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
