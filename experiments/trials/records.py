"""Records: one JSON object for every trained trial, written once, atomically.

A working directory keeps one file per trial; `collect` puts them, one per line, into a
`.jsonl` file that is committed. Every number in a table is read from one of the two.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from experiments.trials.normalization import normalized, record_key
from mobilenet_tf import files
from mobilenet_tf.files import checked_json


def write(path: Path, record: dict) -> None:
    """Write a record with its checksum, by atomic rename."""
    files.make_folder(path.parent)
    files.write(path, checked_json.dumps(record, indent=1) + "\n")


def read_list(path: Path, name: str) -> list[dict]:
    """The list of that name in a file of measurements, which `write` has written.

    Returns:
        Its objects; none where there is no file.

    Raises:
        ValueError: The file is damaged; the message names it.
    """
    if not path.exists():
        return []
    try:
        return checked_json.loads(path.read_bytes())[name]
    except (LookupError, ValueError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else error
        raise ValueError(
            f"file of measurements {str(path)!r} is damaged ({reason}); delete it, and "
            "they are made again"
        ) from error


def read(*locations: Path) -> list[dict]:
    """All records in the given directories (`*.json`, `*.jsonl`) and files, normalised.

    A location that does not exist has no records. A trial with records in several
    locations counts once: the first one wins.

    Raises:
        ValueError: A file is damaged; the message names it.
    """
    records: dict[str, dict] = {}
    for entry in _read(locations):
        records.setdefault(entry.key, entry.normalized)
    return list(records.values())


def collect(source: Path, target: Path) -> int:
    """Add the records of a directory or file to a `.jsonl` file, with their checksums.

    Records that the file has stay as they are.

    Returns:
        The number of records that were added.

    Raises:
        ValueError: A file is damaged; the message names it.
    """
    files.make_folder(target.parent)
    old = {entry.key: entry.text for entry in _read([target])}
    new = {entry.key: entry.record for entry in _read([source])}
    added = [checked_json.dumps(new[key]) for key in new.keys() - old.keys()]
    lines = sorted([*old.values(), *added])
    files.write(target, "".join(line + "\n" for line in lines))
    return len(added)


@dataclasses.dataclass(frozen=True)
class _Entry:
    """A record as its file has it, and as it is used."""

    text: str
    record: dict
    normalized: dict
    key: str


def _read(locations: Iterable[Path]) -> Iterator[_Entry]:
    for location in locations:
        names = (*location.glob("*.json"), *location.glob("*.jsonl"))
        paths = [location] if location.is_file() else sorted(names)
        for path in paths:
            yield from _parsed(path)


def _parsed(path: Path) -> Iterator[_Entry]:
    content = path.read_bytes()
    several = path.suffix == ".jsonl"
    for number, text in enumerate(content.splitlines() if several else [content], 1):
        if several and not text:
            continue
        try:
            record = checked_json.loads(text)
            today = normalized(record)
            yield _Entry(text.decode(), record, today, record_key(today))
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            reason = f"it has no {error}" if isinstance(error, KeyError) else error
            place = f" in line {number}" if several else ""
            raise ValueError(
                f"record file {str(path)!r} is damaged{place} ({reason}); delete the "
                f"{'line' if several else 'file'}, and its trial is trained again"
            ) from error


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


def recipe_of(record: Mapping) -> dict:
    """The recipe that a record's network was trained with.

    It is that of the table, with the settings that are others for this network.
    """
    return {**record["recipe"], **record["network"].get("recipe_changes", {})}
