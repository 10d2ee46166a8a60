"""Damaged files of updates: an error that names the file, or it is fetched again."""

import functools
import os
import shutil
from pathlib import Path

import fleet as fleets
import pytest
from damage import Format, outcomes

from mobilenet_tf import update
from mobilenet_tf.update.device import Device
from mobilenet_tf.update.metadata import SignedMetadata
from mobilenet_tf.update.signing import Keys, Lifetimes

# The fixtures `fleet` and `prepared_fleet`.
pytest_plugins = (fleets.__name__,)
pytestmark = pytest.mark.usefixtures("self_tests_in_process")


def key_file(folder):
    keys = Keys([folder])
    key_id = keys.create("root").public_key.keyid
    (path,) = folder.iterdir()
    return Format(path, lambda _: keys.find("root", [key_id]).public_key.to_dict())


def device_state(folder):
    device = Device(folder / "model.tflite")
    device.path.touch()
    with device.opened():
        device.state.versions[device.digest()] = 3
        device.state.refused["ab" * 32] = "it failed its self-test"
        device.write_state()

    def read(path):
        again = Device(device.path)
        with again.opened():
            return again.state

    return Format(device.folder / "state.json", read, error=update.UpdateError)


def repository(name, folder):
    """A file of a repository, which signs it anew: damage must not be signed."""
    arguments = folder / "metadata", Keys([folder / "keys"]), Lifetimes()
    metadata = SignedMetadata(*arguments)
    metadata.create()
    metadata.rotate("targets")

    def read(path):
        again = SignedMetadata(*arguments)
        return [again._roles[role].to_dict()["signed"] for role in again._roles]

    return Format(folder / "metadata" / name, read)


ROLES = ("2.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json")
# The share of the examples.
FORMATS = {
    "key": (key_file, 6),
    "device": (device_state, 10),
    **{name: (functools.partial(repository, name), 3) for name in ROLES},
}


@pytest.mark.parametrize("name", FORMATS)
def test_damage(name, tmp_path, examples):
    make, share = FORMATS[name]
    counts = outcomes(make(tmp_path), share * examples)
    print(f"{name}: {counts.total():,} damaged files, {dict(counts)}")
    assert counts["an error"] > counts.total() / 3


def test_an_update_is_on_the_disk_before_it_counts(fleet, durable):
    """Else an older state could be offered after a power cut, and be believed."""
    fleet.publish("rose", 3)
    assert fleet.install().changed
    renamed = {Path(path).name for path in durable}
    assert renamed >= {"timestamp.json", "snapshot.json", "targets.json", "state.json"}
    assert renamed >= {"previous.tflite", "flowers.tflite"}


def test_a_new_device_is_on_the_disk(tmp_path, monkeypatch):
    """The folder beside the network, before anything is written into it."""
    fsync, synchronised = os.fsync, []

    def watched(descriptor):
        fsync(descriptor)
        synchronised.append(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(os, "fsync", watched)
    device = Device(tmp_path / "flowers.tflite")
    with device.opened():
        assert tmp_path.stat().st_ino in synchronised
        assert device.folder.stat().st_ino in synchronised
        synchronised.clear()
    with device.opened():  # once is enough
        assert not synchronised


def test_damaged_metadata_of_a_device(prepared_fleet, tmp_path, examples):
    """A damaged root is an error; the rest is fetched again."""
    shutil.copytree(prepared_fleet, tmp_path, dirs_exist_ok=True, symlinks=True)
    url = (tmp_path / "server").as_uri()
    path = tmp_path / "device" / "flowers.tflite"
    folder = path.with_name("flowers.tflite.update")

    def read(_):
        return update.install(path, url, report=print).message

    read(path)  # brings it up to date
    for name in ("trusted_root.json", "metadata/timestamp.json", "metadata/root.json"):
        file = (folder / name).resolve()
        counts = outcomes(Format(file, read, error=update.UpdateError), examples)
        print(f"device, {name}: {counts.total():,} damaged files, {dict(counts)}")
        kind = "an error" if name == "trusted_root.json" else "the same"
        assert counts[kind] > 2 * counts.total() / 3
