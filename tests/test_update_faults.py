"""Drills of updates: whatever happens, the device has a whole network that runs."""

import hashlib
import os
import resource
import shutil
import subprocess
import sys

import fleet as fleets
import pytest
import tiny_litert

pytest.importorskip("ai_edge_litert")
pytest.importorskip("constriction")
pytest.importorskip("tuf")

from benchmarks import update_kills
from benchmarks.update_server import Faults, Server
from mobilenet_tf import update
from mobilenet_tf.update import files

ROOT = fleets.Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Version 1 on a server and a device, version 2 with a delta on the server."""
    folder = tmp_path_factory.mktemp("prepared")
    fleets.prepare(folder)
    return folder


@pytest.fixture
def fleet(prepared, tmp_path):
    fleets.copy(prepared, tmp_path)
    with Server(tmp_path / "server").running() as server:
        yield fleets.Fleet(tmp_path, server)


def refused(fleet, message, **arguments):
    """Check that an update fails with a message, and leaves the old network running."""
    before = fleet.path.read_bytes()
    with pytest.raises(update.UpdateError, match=message):
        fleet.install(**arguments)
    assert fleet.path.read_bytes() == before and fleet.best() == "daisy"


def without_deltas(fleet):
    """The device gets the whole file, as it has another base."""
    fleet.path.write_bytes(tiny_litert.network("daisy", 77))


def test_a_connection_that_is_cut_at_every_tenth(fleet):
    without_deltas(fleet)
    size = len(tiny_litert.network("rose", 2))
    for tenth in range(10):
        fleet.server.faults = Faults(only=".2.tflite", cut_at=size * tenth // 10)
        refused(fleet, "was cut after .* the next update goes on from there")
    starts = [s for path, s in fleet.server.requests if path.endswith(".2.tflite")]
    # Each goes on where the one before was cut, and none gets a byte twice.
    assert starts == [0] + [size * tenth // 10 for tenth in range(9)]
    fleet.server.faults = Faults()
    outcome = fleet.install()
    assert outcome.changed and fleet.best() == "rose"
    assert fleet.server.requests[-1][1] == size * 9 // 10
    assert outcome.received < size


def test_a_server_without_ranges(fleet):
    without_deltas(fleet)
    fleet.server.faults = Faults(only=".2.tflite", cut_at=20000, ranges=False)
    refused(fleet, "was cut after 20,000")
    fleet.server.faults = Faults(ranges=False)
    assert fleet.install().changed and fleet.best() == "rose"


def test_metadata_that_is_cut(fleet):
    for name in ("timestamp", "snapshot", "targets", "releases"):
        fleet.server.faults = Faults(only=name, cut_at=100)
        refused(fleet, "was cut after 100 of")


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
    refused(fleet, "arrives too slowly", seconds=0.3)
    fleet.server.faults = Faults()
    assert fleet.install().changed


def test_no_server(fleet):
    fleet.server.shutdown()
    fleet.server.server_close()
    refused(fleet, "the server cannot be reached or fails: http://.* refused")


@pytest.mark.parametrize("position", [0, 7, 99, 1000, -1])
def test_a_flipped_byte_of_the_network(fleet, position):
    fleet.server.faults = Faults(only=".delta", flip_at=position)
    refused(fleet, "refused, a file differs from what is signed")
    without_deltas(fleet)
    fleet.server.faults = Faults(only=".2.tflite", flip_at=position)
    refused(fleet, "refused, a file differs from what is signed")
    fleet.server.faults = Faults()
    assert fleet.install().changed


def test_a_flipped_byte_of_what_is_signed(fleet):
    """Any byte: those between tokens change nothing, all others are refused."""
    metadata = fleet.repository_path / "metadata"
    device = fleet.path.parent
    kept = fleet.folder / "kept"
    shutil.copytree(device, kept, symlinks=True)
    outcomes = []
    for name in ("timestamp.json", "3.snapshot.json", "3.targets.json"):
        for position in range(3, (metadata / name).stat().st_size, 97):
            fleet.server.faults = Faults(only=name, flip_at=position)
            try:
                fleet.install()
                outcomes.append("harmless")
                shutil.rmtree(device)
                shutil.copytree(kept, device, symlinks=True)
            except update.UpdateError as error:
                outcomes.append("refused")
                assert "refused" in str(error) or "cannot be reached" in str(error)
                assert files.digest(fleet.path) == files.digest(kept / fleet.path.name)
    assert outcomes.count("refused") > 0.9 * len(outcomes)


def test_a_partial_download_that_is_damaged(fleet):
    without_deltas(fleet)
    fleet.server.faults = Faults(only=".2.tflite", cut_at=20000)
    refused(fleet, "was cut")
    (partial,) = (fleet.path.parent / "flowers.tflite.update" / "partial").iterdir()
    content = bytearray(partial.read_bytes())
    content[5000] ^= 1
    partial.write_bytes(content)
    fleet.server.faults = Faults()
    assert fleet.install().changed and fleet.best() == "rose"


def test_an_old_state_replayed(fleet):
    old = fleet.folder / "old"
    shutil.copytree(fleet.repository_path, old)
    fleet.publish("tulip", 3, rollout=0)
    assert fleet.install().version == 2
    fleet.server.folder = old
    with pytest.raises(update.UpdateError, match="an older state than this device"):
        fleet.install()
    assert fleet.best() == "rose"


def test_a_state_that_is_held_back(fleet):
    second = 1 / 86400
    fleet.repository(lifetimes=update.Lifetimes(timestamp=second)).renew()
    expires = update.metadata._now() + update.metadata.datetime.timedelta(seconds=2)
    while update.metadata._now() < expires:
        fleet.server.closing.wait(0.2)
    refused(fleet, "has expired, so that newer versions may be held back")
    fleet.repository().renew()
    assert fleet.install().changed


def test_mixed_states(fleet):
    """The list of another state, though it was signed with the right keys."""
    metadata = fleet.repository_path / "metadata"
    old = sorted(metadata.glob("*.targets.json"))[-2].read_bytes()
    sorted(metadata.glob("*.targets.json"))[-1].write_bytes(old)
    refused(fleet, "refused, a file differs from what is signed")


def test_wrong_keys(fleet):
    (fleet.folder / "other").mkdir()
    other = fleets.Fleet(fleet.folder / "other", fleet.server)
    other.photograph = fleet.photograph
    other.publish("tulip", 5)
    fleet.server.folder = other.repository_path
    refused(fleet, "not signed by the keys that this device trusts")


@pytest.mark.parametrize("role", ["root", "targets", "snapshot", "timestamp"])
def test_a_rotated_key(fleet, role):
    """Devices follow; who has stolen the old key is refused."""
    stolen = fleet.folder / "stolen"
    shutil.copytree(fleet.repository_path, stolen)
    stolen_keys = fleet.folder / "stolen_keys"
    shutil.copytree(fleet.keys, stolen_keys)
    fleet.repository().rotate_key(role)
    assert fleet.install().version == 2
    assert fleet.best() == "rose"
    thief = update.Repository(stolen, [stolen_keys], report=fleet.lines.append)
    for path in stolen_keys.glob("*.pem"):
        if role not in path.name and role != "root":
            path.unlink()
    if role == "root":
        thief.rotate_key("timestamp")
    elif role == "timestamp":
        for _ in range(3):
            thief.renew()
    else:
        return  # without the timestamp's key nothing can be signed
    # A root that only the old key has signed; or the new root and an old timestamp.
    if role == "timestamp":
        for path in (fleet.repository_path / "metadata").glob("*.root.json"):
            shutil.copy(path, stolen / "metadata")
    fleet.server.folder = stolen
    with pytest.raises(update.UpdateError, match="refused, "):
        fleet.install()
    assert fleet.best() == "rose"


def test_many_rotations(fleet):
    for role in ("root", "timestamp", "root", "targets", "snapshot", "root"):
        fleet.repository().rotate_key(role)
    assert fleet.install().changed and fleet.best() == "rose"


def test_a_delta_for_another_base(fleet, monkeypatch):
    """The publisher has mixed up two deltas: the whole file comes instead."""
    base = fleet.folder / "base.tflite"
    base.write_bytes(tiny_litert.network("tulip", 50))
    make = update.repository.deltas.make
    monkeypatch.setattr(
        update.repository.deltas, "make", lambda old, *rest: make(base, *rest)
    )
    fleet.publish("tulip", 3)
    fleet.server.faults = Faults(only=".3.tflite", cut_at=0)
    refused(fleet, "was cut")
    assert (
        "the delta is refused, the whole file is taken: old must be the file that"
        in (fleet.lines[-1])
    )
    fleet.server.faults = Faults()
    assert fleet.install().message.startswith("updated: version 1 -> 3, by whole file")
    assert fleet.best() == "tulip"


def test_a_full_disk_at_every_size(fleet):
    """With the limit of a process on the size of a file; `tmpfs` needs a root user."""
    without_deltas(fleet)
    program = (
        "import resource, sys; from mobilenet_tf.cli import program\n"
        "limit = int(sys.argv.pop(1))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))\n"
        "program.main(sys.argv[1:])\n"
    )
    before = fleet.path.read_bytes()
    for limit in (0, 100, 2000, 10_000, 30_000):
        command = [sys.executable, "-c", program, str(limit), "update", fleet.path]
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
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] < 0
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
        without_deltas(fleet)
        refused(fleet, "the disk is full: .*No space left on device")
    finally:
        subprocess.run(["umount", place], check=True)


def test_killed(fleet):
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
            "kills": 10,
            "every": 17,
            "seed": 0,
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
    for kind, counts in results.items():
        assert counts["kills"] >= (5 if "random" in kind else 1), kind
        assert counts.get("old", 0) + counts.get("new", 0) == counts["kills"], kind
        assert counts["recovered"] == counts["kills"], kind
