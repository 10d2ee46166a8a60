"""Drills of updates: whatever fails, the device has a whole network that runs."""

import hashlib
import os
import shutil
import subprocess
import sys

import fleet as fleets
import pytest
import tiny_litert
from conftest import ROOT

from benchmarks import update_kills
from benchmarks.update_server import Faults

# The fixtures `fleet` and `prepared_fleet`.
pytest_plugins = (fleets.__name__,)


def test_a_connection_that_is_cut_at_every_tenth(fleet):
    fleet.without_deltas()
    size = len(tiny_litert.network("rose", 2))
    for tenth in range(10):
        fleet.server.faults = Faults(only=".2.tflite", cut_at=size * tenth // 10)
        fleet.refuses("was cut after .* the next update goes on from there")
    starts = [s for path, s in fleet.server.requests if path.endswith(".2.tflite")]
    # Each goes on where the one before was cut, and none gets a byte twice.
    assert starts == [0] + [size * tenth // 10 for tenth in range(9)]
    fleet.server.faults = Faults()
    outcome = fleet.install()
    assert outcome.changed and fleet.best() == "rose"
    assert fleet.server.requests[-1][1] == size * 9 // 10
    assert outcome.received < size


def test_a_server_without_ranges(fleet):
    fleet.without_deltas()
    fleet.server.faults = Faults(only=".2.tflite", cut_at=20000, ranges=False)
    fleet.refuses("was cut after 20,000")
    fleet.server.faults = Faults(ranges=False)
    assert fleet.install().changed and fleet.best() == "rose"


def test_metadata_that_is_cut(fleet):
    for name in ("timestamp", "snapshot", "targets", "releases"):
        fleet.server.faults = Faults(only=name, cut_at=100)
        fleet.refuses("was cut after 100 of")


@pytest.mark.parametrize(
    "faults",
    [
        Faults(only="timestamp", silent_at=0),
        Faults(only=".delta", silent_at=1000),
        Faults(only=".delta", pause=0.02, block=1),  # a byte comes in time, always
    ],
)
def test_a_slow_server(fleet, faults):
    fleet.server.faults = faults
    fleet.refuses("arrives too slowly", seconds=0.3)
    fleet.server.faults = Faults()
    assert fleet.install().changed


def test_no_server(fleet):
    fleet.server.shutdown()
    fleet.server.server_close()
    fleet.refuses("the server cannot be reached or fails: http://.* refused")


def test_a_partial_download_that_is_damaged(fleet):
    fleet.without_deltas()
    fleet.server.faults = Faults(only=".2.tflite", cut_at=20000)
    fleet.refuses("was cut")
    (partial,) = (fleet.path.parent / "flowers.tflite.update" / "partial").iterdir()
    content = bytearray(partial.read_bytes())
    content[5000] ^= 1
    partial.write_bytes(content)
    fleet.server.faults = Faults()
    assert fleet.install().changed and fleet.best() == "rose"


@pytest.mark.parametrize("then", ["superseded", "withdrawn"])
def test_a_partial_download_of_a_version_that_nobody_wants(fleet, then):
    """It goes with the next refresh, though what comes next may be cut as well."""
    fleet.without_deltas()
    partial = fleet.path.parent / "flowers.tflite.update" / "partial"
    fleet.server.faults = Faults(only=".2.tflite", cut_at=20000)
    fleet.refuses("was cut")
    (old,) = partial.iterdir()
    if then == "withdrawn":
        fleet.repository().set_rollout(0)
        fleet.path.write_bytes(tiny_litert.network("daisy", 1))
        assert fleet.install().message == "up to date: version 1"
        assert not any(partial.iterdir())
    else:
        fleet.publish("tulip", 3)
        fleet.server.faults = Faults(only=".3.tflite", cut_at=10000)
        fleet.refuses("was cut")
        (new,) = partial.iterdir()
        assert new != old and new.stat().st_size == 10000


def test_a_full_disk_at_every_size(fleet):
    """With the limit of a process on the size of a file; `tmpfs` needs a root user."""
    fleet.without_deltas()
    program = (
        "import resource, sys; from mobilenet_tf.cli import program\n"
        "limit = int(sys.argv.pop(1))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))\n"
        "program.main(sys.argv[1:])\n"
    )
    before = fleet.path.read_bytes()
    for limit in (0, 100, 2000, 10_000, 30_000):
        # -B: of a module that is imported first here, half the bytecode would stay.
        python = [sys.executable, "-B", "-c", program]
        command = [*python, str(limit), "update", fleet.path]
        done = subprocess.run(
            [*command, f"--url={fleet.server.url}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert done.stderr.startswith("mobilenet_tf update: the disk is full: "), limit
        assert fleet.path.read_bytes() == before
    assert fleet.best() == "daisy"
    assert fleet.install().changed and fleet.best() == "rose"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file system needs root")
def test_a_full_file_system(fleet):
    place = fleet.folder / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=120k", "tmpfs", place]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        shutil.copytree(fleet.path.parent, place / "device", symlinks=True)
        fleet.path = place / "device" / "flowers.tflite"
        fleet.without_deltas()
        fleet.refuses("the disk is full: .*No space left on device")
    finally:
        subprocess.run(["umount", place], check=True)


@pytest.mark.parametrize(
    ("kills", "every"),
    [(10, 31), pytest.param(200, 1, marks=pytest.mark.thorough)],
)
def test_killed(fleet, kills, every):
    """The short form of `python -m benchmarks.update_faults`."""
    devices = fleet.folder / "devices"
    for name in ("delta", "back"):
        shutil.copytree(fleet.path.parent, devices / name, symlinks=True)
        fleet.install()  # the second device has it
    networks = [tiny_litert.network(name, n) for name, n in (("daisy", 1), ("rose", 2))]
    results = update_kills.run_in_process(
        {
            "url": fleet.server.url,
            "image": str(fleet.photograph),
            "kills": kills,
            "every": every,
            "seed": 0,
            "processes": 2,
            "classes": {
                hashlib.sha256(content).hexdigest(): index
                for index, content in enumerate(networks)
            },
            "drills": [
                {
                    "name": name,
                    "device": str(devices / name / fleet.path.name),
                    "action": action,
                }
                for name, action in (("delta", "install"), ("back", "go_back"))
            ],
        }
    )
    assert len(results) == 4
    random = [counts for kind, counts in results.items() if "random" in kind]
    assert sum(counts["kills"] for counts in random) == kills
    for kind, counts in results.items():
        assert counts.get("recovered", 0) == counts["kills"] // 4, kind
        assert counts.get("old", 0) + counts.get("new", 0) == counts["kills"], kind
        if "random" not in kind:
            assert counts["old"] >= 1 and counts["new"] >= 1, kind
