"""Attacks on updates: each is refused, and the old network stays in place."""

import shutil

import fleet as fleets
import pytest
import tiny_litert

from benchmarks.update_server import Faults
from mobilenet_tf import files, update
from mobilenet_tf.update import self_test

# The fixtures `fleet` and `prepared_fleet`.
pytest_plugins = (fleets.__name__,)
pytestmark = pytest.mark.usefixtures("self_tests_in_process")


@pytest.mark.parametrize("position", [0, 7, 99, 1000, -1])
def test_a_flipped_byte_of_a_file(fleet, position):
    """Of the network, the list of releases, and the image of the self-test."""
    fleet.without_deltas()
    shutil.rmtree(fleet.path.with_name("flowers.tflite.update") / "tests")
    for name in ("releases.json", ".2.tflite", ".png"):
        fleet.server.faults = Faults(only=name, flip_at=position)
        with pytest.raises(update.UpdateError, match="a file differs from what is sig"):
            fleet.install()
        assert fleet.path.read_bytes() == tiny_litert.network("daisy", 77)
        assert name in fleet.server.requests[-1][0]
    fleet.server.faults = Faults()
    assert fleet.install().changed


def test_a_flipped_byte_of_what_is_signed(fleet):
    """Any byte: those between tokens change nothing, all others are refused."""
    fleet.repository().rotate_key("targets")  # so that there is a new root
    metadata = fleet.repository_path / "metadata"
    device = fleet.path.parent
    kept = fleet.folder / "kept"
    shutil.copytree(device, kept, symlinks=True)
    for name in ("timestamp.json", "4.snapshot.json", "4.targets.json", "2.root.json"):
        outcomes = []
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
        assert outcomes.count("refused") > 0.8 * len(outcomes), name


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
    fleet.refuses("has expired, so that newer versions may be held back")
    fleet.repository().renew()
    assert fleet.install().changed


def test_mixed_states(fleet):
    """The list of another state, though it was signed with the right keys."""
    metadata = fleet.repository_path / "metadata"
    old = sorted(metadata.glob("*.targets.json"))[-2].read_bytes()
    sorted(metadata.glob("*.targets.json"))[-1].write_bytes(old)
    fleet.refuses("refused, a file differs from what is signed")


def test_wrong_keys(fleet):
    (fleet.folder / "other").mkdir()
    other = fleets.Fleet(fleet.folder / "other", fleet.server)
    other.photograph = fleet.photograph
    other.publish("tulip", 5)
    fleet.server.folder = other.repository_path
    fleet.refuses("not signed by the keys that this device trusts")


@pytest.mark.parametrize("role", ["root", "targets", "snapshot", "timestamp"])
def test_a_rotated_key(fleet, role, monkeypatch):
    """Devices follow; who has stolen the old key is refused."""
    stolen = fleet.folder / "stolen"
    shutil.copytree(fleet.repository_path, stolen)
    stolen_keys = fleet.folder / "stolen_keys"
    shutil.copytree(fleet.keys, stolen_keys)
    fleet.repository().rotate_key(role)
    assert fleet.install().version == 2
    assert fleet.best() == "rose"
    # The thief has the old key, and those of the other roles that are in use still.
    if role != "root":
        (root_key,) = stolen_keys.glob("root.*")
        root_key.unlink()
    thief = update.Repository(stolen, [stolen_keys], report=fleet.lines.append)
    if role == "root":
        for _ in range(2):  # one more than the device has seen
            thief.rotate_key("timestamp")
    else:
        passed = self_test.Prepared(fleet.photograph, 2, "tulip")
        monkeypatch.setattr(self_test, "prepare", lambda *_: passed)
        file = fleet.folder / "tulip.tflite"
        file.write_bytes(tiny_litert.network("tulip", 9))
        thief.publish(file, fleet.photograph, "tulip", delta_count=0)
        thief.set_rollout(1)  # so that all versions are newer than the device's
        # With the new root: the device knows it anyway.
        for path in (fleet.repository_path / "metadata").glob("*.root.json"):
            shutil.copy(path, stolen / "metadata")
    fleet.server.folder = stolen
    message = f"not signed by the keys that this device trusts: {role} was signed by 0"
    with pytest.raises(update.UpdateError, match=message):
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
    fleet.refuses("was cut")
    assert (
        "the delta is refused, the whole file is taken: old must be the file that"
        in (fleet.lines[-1])
    )
    fleet.server.faults = Faults()
    assert fleet.install().message.startswith("updated: version 1 -> 3, by whole file")
    assert fleet.best() == "tulip"
