"""Parts of a sweep that need no Ray: the storage and the storage actor."""

import errno
import os
import threading
import types
from concurrent import futures

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from experiments.sweep import storage as storage_module
from experiments.sweep import storage_actor
from experiments.sweep.events import Event
from experiments.sweep.storage import (
    Storage,
    StorageError,
    model_name,
    record_name,
    snapshot_name,
)
from experiments.sweep.storage_actor import StorageActor, TrialError
from experiments.sweep.stored import Stored
from experiments.sweep.workdir import Workdir
from mobilenet_tf.files import checked_json

EVENT = Event("a", 1, 0.5, loss=0.7)


class Remote(MemoryFileSystem):
    """A storage that fails on request, also in the middle of a file."""

    protocol = "remote"
    store, pseudo_dirs = {}, [""]
    fails = None

    def pipe_file(self, path, value, **options):
        if self.fails == "write":
            super().pipe_file(path, value[: len(value) // 2], **options)
            raise OSError(errno.ENOSPC, "No space left on device")
        super().pipe_file(path, value, **options)

    def cat_file(self, path, *arguments, **options):
        if self.fails == "read":
            raise TimeoutError
        return super().cat_file(path, *arguments, **options)


@pytest.fixture
def remote():
    fsspec.register_implementation("remote", Remote, clobber=True)
    MemoryFileSystem.store.clear()
    Remote.store.clear()
    yield Remote
    Remote.fails = None


@pytest.fixture(params=["folder", "memory://bucket/sweep", "remote://bucket/sweep"])
def storage(request, tmp_path, remote):
    return Storage(
        str(tmp_path / "new") if request.param == "folder" else request.param
    )


def test_storage(storage):
    storage.check()
    assert storage.read("records/a.json") is None
    assert storage.names("records") == set()
    storage.write("records/a.json", b"first")
    storage.write("records/a.json", b"second")
    storage.write("trials/a.keras", bytes(range(256)))
    assert storage.read("records/a.json") == b"second"
    assert storage.read("trials/a.keras") == bytes(range(256))
    assert storage.names("records") == {"records/a.json"}
    storage.remove("records/a.json")
    storage.remove("records/a.json")
    assert storage.names("records") == set()


def test_a_storage_that_fails(remote):
    storage = Storage("remote://bucket/sweep")
    storage.write("records/a.json", b"whole")
    remote.fails = "write"
    with pytest.raises(StorageError, match=r"'remote://bucket/sweep' .* no space left"):
        storage.write("records/a.json", b"another")
    assert storage.read("records/a.json") == b"whole"
    assert storage.names("records") == {"records/a.json"}
    remote.fails = "read"
    with pytest.raises(StorageError, match=r"read 'records/a\.json': TimeoutError"):
        storage.read("records/a.json")
    with pytest.raises(ValueError, match="storage must be a folder or a URL"):
        Storage("nothing://here")


def test_the_folder_of_a_storage_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be used: write 'trials/probe"):
        Storage(str(tmp_path / "file")).check()


def test_the_storage_actor_writes_each_trial_once(tmp_path):
    storage, kept = Storage(str(tmp_path)), StorageActor(str(tmp_path))
    assert kept.begin("a", again=False) == (None, None)
    kept.save("a", b"snapshot", EVENT)
    assert kept.begin("a", again=False) == (None, b"snapshot")
    assert kept.finish("a", b"model", b"record") == b"record"
    # A node that was thought dead goes on.
    kept.save("a", b"late", EVENT)
    assert kept.finish("a", b"other", b"another") == b"record"
    assert storage.read(snapshot_name("a")) is None
    assert storage.read(record_name("a")) == b"record"
    assert kept.model("a") == b"model"
    # The call of `begin` is repeated by a process that takes over.
    assert kept.begin("a", again=True)[0] == b"record"
    assert kept.events(0) == [EVENT]
    assert kept.events(0) == []


def test_the_storage_actor_has_the_credentials_of_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", {})
    StorageActor(str(tmp_path), {"AWS_PROFILE": "photographs"})
    assert os.environ == {"AWS_PROFILE": "photographs"}


def test_the_storage_actor_trains_again_where_a_model_is_lost(tmp_path):
    Storage(str(tmp_path)).write(record_name("a"), b"record")
    kept = StorageActor(str(tmp_path))
    assert kept.begin("a", again=False)[0] == b"record"
    assert kept.begin("a", again=True)[0] is None
    with pytest.raises(TrialError, match="the model of trial a is lost"):
        kept.model("a")


def test_the_actor_of_a_killed_command_writes_nothing(tmp_path, monkeypatch):
    kept = StorageActor(str(tmp_path))
    kept.save("a", b"snapshot", EVENT)
    monkeypatch.setattr(storage_actor.os, "getppid", lambda: 1)  # as an orphan's
    with pytest.raises(TrialError, match="the command that trains has ended"):
        kept.save("a", b"late", EVENT)
    with pytest.raises(TrialError, match="the command that trains has ended"):
        kept.finish("a", b"model", b"record")
    assert Storage(str(tmp_path)).read(snapshot_name("a")) == b"snapshot"
    assert not Storage(str(tmp_path)).names("records")


def test_a_trial_that_always_ends_its_process(tmp_path):
    kept = StorageActor(str(tmp_path))
    for _ in range(2):
        for _ in range(storage_actor.MOST_STARTS):
            kept.begin("a", again=False)
        kept.save("a", b"snapshot", EVENT)
    for _ in range(storage_actor.MOST_STARTS):
        kept.begin("a", again=False)
    with pytest.raises(TrialError, match="trial a has ended its process 10 times"):
        kept.begin("a", again=False)


def test_starts_on_nodes_that_refuse_do_not_count(tmp_path):
    kept = StorageActor(str(tmp_path))
    for _ in range(2 * storage_actor.MOST_STARTS):
        kept.begin("a", again=False)
        kept.refused("a")
    kept.begin("a", again=False)


def test_a_slow_storage_keeps_other_trials_going(tmp_path, monkeypatch):
    kept = StorageActor(str(tmp_path))
    written, write = threading.Event(), Storage.write

    def slow(storage, name, content):
        if name == snapshot_name("slow"):
            assert written.wait(10), "the other trial waits too"
        write(storage, name, content)

    monkeypatch.setattr(Storage, "write", slow)
    with futures.ThreadPoolExecutor() as threads:
        saved = threads.submit(kept.save, "slow", b"snapshot", EVENT)
        threads.submit(kept.save, "other", b"snapshot", EVENT).result(10)
        written.set()
        saved.result()
    names = {snapshot_name(key) for key in ("slow", "other")}
    assert Storage(str(tmp_path)).names("trials") == names


def test_a_storage_is_given_what_the_working_directory_has(
    storage, tmp_path, monkeypatch
):
    workdir = Workdir(tmp_path / "runs")
    here, nowhere = (types.SimpleNamespace(key=key) for key in ("here", "nowhere"))
    workdir.record_path(here).write_bytes(b"record")
    workdir.model_path(here).write_bytes(b"model")
    another = checked_json.dumps({"key": "there"}).encode()
    storage.write(record_name("there"), another)
    storage.write(record_name("here") + ".0123.partial", b"half")
    # A process was killed after it had written the record.
    storage.write(snapshot_name("here"), b"snapshot")
    storage.write(snapshot_name("nowhere"), b"snapshot")
    monkeypatch.setattr(storage_module, "LEFT_SECONDS", -60)
    for _ in range(2):
        stored = Stored(storage, workdir, [here, nowhere])
        assert stored.usable(here) and not stored.done(nowhere)
        assert storage.read(model_name("here")) == b"model"
        assert storage.read(record_name("here")) == b"record"
    there = workdir.record_path(types.SimpleNamespace(key="there"))
    assert there.read_bytes() == another
    assert storage.names("records") == {record_name(key) for key in ("here", "there")}
    names = {model_name("here"), snapshot_name("nowhere")}
    assert storage.names("trials") == names


def test_a_damaged_record_of_a_storage(storage, tmp_path):
    whole = checked_json.dumps({"key": "there", "seed": 1}).encode()
    storage.write(record_name("there"), whole.replace(b"1", b"2"))
    with pytest.raises(StorageError, match=r"'records/there\.json' of .* is damaged"):
        Stored(storage, Workdir(tmp_path / "runs"), [])
    assert not (tmp_path / "runs" / record_name("there")).exists()
