"""Files that appear whole: after a kill, on a full disk, after a power cut."""

import errno
import os
import shutil
import signal
import subprocess
import sys

import pytest
import writers
from conftest import ROOT

from experiments.sweep.workdir import Workdir
from mobilenet_tf import files
from mobilenet_tf.training import snapshot

# Writes half of a file, and half of what is in a folder, and waits.
WRITER = """
import sys
from mobilenet_tf import files
path = sys.argv[1]
with files.replacing(path) as partial, files.scratch_folder(path) as folder:
    partial.write_text("half")
    (folder / "other").write_text("half")
    print("ready", flush=True)
    sys.stdin.readline()
    partial.write_text("theirs")
"""


@pytest.fixture
def writer():
    """Starts a process that is writing a path; it goes on with `communicate`."""
    started = []

    def start(path):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, path],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_writer_leaves_is_removed_by_the_next(writer, tmp_path):
    path = tmp_path / "file"
    killed, living = writer(path), writer(path)
    assert len(names(tmp_path)) == 4
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    files.write(path, "ours")
    assert len(names(tmp_path)) == 3 and path.read_text() == "ours"
    living.communicate("go on\n")
    assert names(tmp_path) == ["file"] and path.read_text() == "theirs"


def test_leftovers_of_other_files_stay(writer, tmp_path):
    process = writer(tmp_path / "one")
    process.kill()
    process.wait()
    left = names(tmp_path)
    (tmp_path / "own.partial").touch()  # not of this program
    files.write(tmp_path / "two", "")
    assert names(tmp_path) == sorted([*left, "own.partial", "two"])


def test_a_working_directory_is_cleared_of_a_killed_run(writer, tmp_path):
    workdir = Workdir(tmp_path)
    trials, records = tmp_path / "trials", tmp_path / "records"
    paths = trials / "a.keras", trials / "a.snapshot.npz", records / "a.json"
    for process in [writer(path) for path in paths]:
        process.kill()
        process.wait()
    (trials / "a.partial.keras").touch()  # as earlier versions named them
    (tmp_path / ".writable-123").touch()
    living = writer(trials / "b.keras")
    Workdir(tmp_path)
    assert names(tmp_path) == ["records", "trials"] and not names(records)
    assert [name[:9] for name in names(trials)] == [".b.keras."] * 2
    living.communicate("go on\n")
    assert names(trials) == ["b.keras"] and workdir.path == tmp_path


def test_a_snapshot_goes_with_the_training_that_it_is_of(tmp_path):
    """Not where the model is lost, as the trial is then trained again."""
    workdir = Workdir(tmp_path)
    for name in ("records/a.json", "records/b.json", "trials/a.keras"):
        (tmp_path / name).touch()
    for key in "abc":
        (tmp_path / f"trials/{key}.snapshot.npz").touch()
    Workdir(workdir.path)
    assert names(tmp_path / "trials") == [
        *("a.keras", "b.snapshot.npz", "c.snapshot.npz")
    ]


def test_a_folder_without_locks(monkeypatch, tmp_path):
    """What may be another process' stays where that cannot be known."""
    left = tmp_path / ".file.01234567.partial"
    left.touch()
    monkeypatch.setattr(files.locks, "fcntl", None)
    files.write(tmp_path / "file", "text")
    assert names(tmp_path) == [left.name, "file"]
    monkeypatch.undo()
    files.write(tmp_path / "file", "text")
    assert names(tmp_path) == ["file"]


def test_a_writer_that_fails_leaves_nothing(tmp_path):
    files.write(tmp_path / "file", "before")
    with pytest.raises(KeyError), files.replacing(tmp_path / "file") as partial:
        partial.write_text("half")
        raise KeyError
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_text() == "before"


@pytest.mark.parametrize("name", ["images.npz", "trial.snapshot.npz", "record.json"])
def test_files_have_the_permissions_of_their_neighbours(name, tmp_path):
    before = os.umask(0o027)
    try:
        (tmp_path / "neighbour").touch()
        writers.WRITERS[name](tmp_path / name, tmp_path)
    finally:
        os.umask(before)
    assert (tmp_path / name).stat().st_mode == (tmp_path / "neighbour").stat().st_mode


def test_long_names(tmp_path):
    path = tmp_path / ("ü" * 120 + ".txt")  # 244 bytes
    files.write(path, "text")
    assert names(tmp_path) == [path.name]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]
    try:
        subprocess.run(["mount", *options], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a full disk needs the right to mount one")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder, room):
    """Leave so many bytes of a disk."""
    with (folder / "filler").open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError as error:
            assert error.errno == errno.ENOSPC
        file.truncate(file.tell() - file.tell() % 4096 - room // 4096 * 4096)


@pytest.mark.parametrize("name", [*writers.WRITERS, "saved_model"])
def test_a_full_disk(name, small_disk, tmp_path):
    """Every writer names the file and the folder, and leaves what was there before."""
    write = writers.WRITERS.get(name, writers.export_folder)
    path, size = small_disk / "results" / name, 60_000
    path.parent.mkdir()
    if name in writers.BEFORE:
        path.write_text(writers.BEFORE[name])
    before = names(path.parent)
    if name != "saved_model":
        shutil.copytree(path.parent, tmp_path / "whole")
        write(tmp_path / "whole" / name, tmp_path)
        size = (tmp_path / "whole" / name).stat().st_size
    for room in (0, size // 2):
        fill(small_disk, room)
        with pytest.raises(OSError, match="No space left on device") as caught:
            write(path, tmp_path)
        assert caught.value.errno == errno.ENOSPC
        assert str(path) in str(caught.value)
        assert repr(str(path.parent)) in str(caught.value)
        assert names(path.parent) == before
        (small_disk / "filler").unlink()


@pytest.mark.parametrize("name", writers.WRITERS)
def test_files_are_on_the_disk_before_they_have_their_name(name, durable, tmp_path):
    path = tmp_path / name
    if name in writers.BEFORE:
        path.write_text(writers.BEFORE[name])
    writers.WRITERS[name](path, tmp_path)
    assert str(path) in durable


def test_folders_are_on_the_disk_before_they_have_their_name(durable, tmp_path):
    with files.scratch_folder(tmp_path / "model") as folder:
        (folder / "made" / "variables").mkdir(parents=True)
        (folder / "made" / "variables" / "index").write_text("text")
        files.rename(folder / "made", tmp_path / "model")
    assert names(tmp_path) == ["model"]
    files.make_folder(tmp_path / "a" / "b")
    files.make_folder(tmp_path / "a" / "b")


def test_damaged_files_of_a_working_directory_say_what_to_do(tmp_path):
    workdir = Workdir(tmp_path)

    class Trial:
        key = "a"
        parent = None

    workdir.model_path(Trial).write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"a\.keras' cannot be read.*; delete it"):
        workdir.model(Trial)
    workdir.snapshot_path(Trial).write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"a\.snapshot\.npz' is damaged .*; delete it"):
        snapshot.load_metadata(workdir.snapshot_path(Trial))
