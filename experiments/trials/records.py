"""Records: one JSON object for every trained point, written once, atomically.

A working directory keeps one file per point; `collect` puts them, one per line, into a
`.jsonl` file that is committed. Every number in a table is read from one of the two.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

PACKAGES = ("keras", "tensorflow", "jax", "torch", "tensorflow-datasets", "numpy")


def write(path: Path, record: dict) -> None:
    """Write a record; it appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(record, indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file by atomic rename."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text)
    os.replace(partial, path)


def read(*places: Path) -> list[dict]:
    """All records in the given directories (`*.json`, `*.jsonl`) and files.

    A place that does not exist holds none. A point found in several places counts
    once: the first one wins.
    """
    found: dict[str, dict] = {}
    for place in places:
        names = (*place.glob("*.json"), *place.glob("*.jsonl"))
        files = [place] if place.is_file() else sorted(names)
        for file in files:
            for record in map(_normalised, _parse(file)):
                found.setdefault(record["key"], record)
    return list(found.values())


def collect(records: Iterable[dict], path: Path) -> int:
    """Add records to a `.jsonl` file; those that are there stay as they are.

    Returns:
        The number of records that were added.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    old = read(path) if path.exists() else []
    known = {record["key"] for record in old}
    new = [record for record in records if record["key"] not in known]
    lines = sorted(json.dumps(record) for record in [*old, *new])
    write_text(path, "".join(line + "\n" for line in lines))
    return len(new)


def provenance() -> dict:
    """Commit, dirty flag, package versions and device of this process."""
    import keras

    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        **_commit(),
        "backend": keras.backend.backend(),
        "versions": versions,
        "device": device_name(),
    }


def device_name() -> str:
    """The processor or accelerator that trains, in words."""
    import keras

    if keras.backend.backend() == "jax":
        import jax

        if jax.default_backend() != "cpu":
            return f"{jax.device_count()} x {jax.devices()[0].device_kind}"
    if keras.backend.backend() == "torch":
        import torch

        if torch.cuda.is_available():
            return f"{torch.cuda.device_count()} x {torch.cuda.get_device_name()}"
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        if gpus := tf.config.list_physical_devices("GPU"):
            details = tf.config.experimental.get_device_details(gpus[0])
            return f"{len(gpus)} x {details.get('device_name', 'GPU')}"
    return f"{len(os.sched_getaffinity(0))} cores of {_processor()}"


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":")[1].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.machine()


def _commit():
    root = Path(__file__).resolve().parents[2]

    def git(*arguments):
        return subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    try:
        # Code that git does not track could have taken part as well.
        return {"commit": git("rev-parse", "HEAD"), "dirty": git("status", "-s") != ""}
    except (OSError, subprocess.CalledProcessError):
        return {"commit": None, "dirty": None}


def _normalised(record):
    """Records of before the builders moved name them as they were."""
    network = record.get("network")
    while network:
        module, _, function = network["builder"].rpartition(".")
        leaf = module.rpartition(".")[2]
        network["builder"] = f"mobilenet_tf.models.{leaf}.{function}"
        network = network.get("teacher", {}).get("network")
    return record


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
        print(f"{collect(read(source), target)} records added to {target}")
    except (OSError, ValueError) as error:
        sys.exit(f"records: error: {error}")


if __name__ == "__main__":
    main(sys.argv)
