"""Makes the explorer's page from records, and serves it on this machine.

    python -m experiments.explorer

reads the committed records and those of `runs`, writes the page to `build/explorer`,
and serves it until it is interrupted. `--workdir` takes the working directory of any
experiments instead. The page's libraries come from npm: `make explorer` installs them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.explorer import datafile, networks, server, site
from mobilenet_tf import files
from mobilenet_tf.cli.flags import as_flags

PORT = 8017


def parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    flags = argparse.ArgumentParser(
        prog="experiments.explorer",
        description=(__doc__ or "").partition("\n")[0],
        allow_abbrev=False,
    )
    flags.add_argument(
        "--results",
        type=Path,
        metavar="DIR",
        default=Path("experiments/results"),
        help="committed records; default: experiments/results",
    )
    flags.add_argument(
        "--workdir",
        type=Path,
        metavar="DIR",
        default=Path("runs"),
        help="working directory with records and trained networks; default: runs",
    )
    flags.add_argument(
        "--models",
        type=Path,
        metavar="FILE.keras",
        nargs="*",
        default=[],
        help="more trained networks that the page runs",
    )
    flags.add_argument(
        "--weights_dir",
        type=Path,
        metavar="DIR",
        default=Path("../shared/weights"),
        help="published weights that the page runs; default: ../shared/weights",
    )
    flags.add_argument(
        "--data_dir",
        type=Path,
        metavar="DIR",
        help="directory of TFDS data sets, to verify trained networks; default: TFDS'",
    )
    flags.add_argument(
        "--export",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="export networks for the page, the default",
    )
    flags.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        default=Path("build/explorer"),
        help="folder of the page; default: build/explorer",
    )
    flags.add_argument(
        "--port",
        type=int,
        default=PORT,
        help=f"where to serve it; default: {PORT}; 0: any that is free",
    )
    flags.add_argument(
        "--serve",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="serve the page until interrupted, the default",
    )
    return flags


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the page, and serve it; an error becomes a line and exit code 1."""
    options = parser().parse_args(arguments)
    try:
        site.libraries(site.SOURCE / "node_modules")  # an error here comes first
        site.check_output(options.output)
        data, details = datafile.read(
            [options.results, options.workdir / "records"], options.results
        )
        site.write(options.output, {"data.json": data, "details.json": details})
        print(f"written: {options.output}, {len(data['networks'])} networks")
        sources = _sources(options) if options.export else []
        manifest = networks.write(options.output, sources)
        files.write(options.output / "networks.json", json.dumps(manifest))
        print(f"{len(manifest['networks'])} networks that the page can run")
        if options.serve:
            _serve(options.output, options.port)
    except (ImportError, OSError, ValueError) as error:
        message = as_flags(str(error), {"output": "--output", "port": "--port"})
        sys.exit(f"experiments.explorer: error: {message}")


def _sources(options: argparse.Namespace) -> list[networks.Source]:
    """The networks to export: of files, of the working directory, published ones."""
    return [
        *networks.given(options.models),
        *networks.trained(options.workdir, options.data_dir),
        *networks.published(options.weights_dir),
    ]


def _serve(folder: Path, port: int) -> None:
    with server.create(folder, port) as running:
        print(f"serving {server.address(running)}; end with Ctrl-C", flush=True)
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
