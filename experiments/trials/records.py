"""Records: one JSON object for every trained trial, written once, atomically.

A working directory keeps one file per trial; `collect` puts them, one per line, into a
`.jsonl` file that is committed. Every number in a table is read from one of the two.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from experiments.trials.normalization import normalized, record_key


def write(path: Path, record: dict) -> None:
    """Write a record by atomic rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(record, indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file by atomic rename."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text)
    os.replace(partial, path)


def read(*locations: Path) -> list[dict]:
    """All records in the given directories (`*.json`, `*.jsonl`) and files, normalised.

    A location that does not exist has no records. A trial with records in several
    locations counts once: the first one wins.

    Raises:
        ValueError: A file is damaged; the message names it.
    """
    records: dict[str, dict] = {}
    for record in map(normalized, _read_raw(locations)):
        records.setdefault(record_key(record), record)
    return list(records.values())


def collect(source: Path, target: Path) -> int:
    """Add the records of a directory or file to a `.jsonl` file.

    Records that the file has stay as they are.

    Returns:
        The number of records that were added.

    Raises:
        ValueError: A file is damaged; the message names it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    old = list(_read_raw([target]))
    keys = {record_key(normalized(record)) for record in old}
    new = {
        key: record
        for record in _read_raw([source])
        if (key := record_key(normalized(record))) not in keys
    }
    lines = sorted(json.dumps(record) for record in [*old, *new.values()])
    write_text(target, "".join(line + "\n" for line in lines))
    return len(new)


def _read_raw(locations: Iterable[Path]) -> Iterator[dict]:
    for location in locations:
        names = (*location.glob("*.json"), *location.glob("*.jsonl"))
        files = [location] if location.is_file() else sorted(names)
        for file in files:
            yield from _parse(file)


def _parse(file):
    text = file.read_text()
    try:
        if file.suffix == ".jsonl":
            return [json.loads(line) for line in text.splitlines() if line]
        return [json.loads(text)]
    except json.JSONDecodeError as error:
        raise ValueError(f"record file {str(file)!r} is damaged: {error}") from error


def main(arguments: list[str]) -> None:
    """Collect the records of a working directory."""
    if len(arguments) != 3:
        sys.exit("records: error: the arguments must be a source and a .jsonl file")
    source, target = map(Path, arguments[1:])
    if not source.exists() or target.suffix != ".jsonl" or target.is_dir():
        sys.exit(
            "records: error: the arguments must be a source that exists and a .jsonl "
            f"file, got {str(source)!r} and {str(target)!r}"
        )
    try:
        print(f"{collect(source, target)} records added to {target}")
    except (OSError, ValueError) as error:
        sys.exit(f"records: error: {error}")


if __name__ == "__main__":
    main(sys.argv)
