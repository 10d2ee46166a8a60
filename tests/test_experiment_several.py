"""Several networks at a time, with Ray on this machine."""

import importlib.util
import os
import shutil
import time

import psutil
import pytest
import runs
from runs import EPOCHS, assert_whole, finish, records, wait_for

from mobilenet_tf.processor import usable_cores

pytest_plugins = (runs.__name__,)  # its fixtures
pytestmark = pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="needs ray")


def several():
    """Flags of as many networks at a time as have this process's threads each."""
    threads = int(os.environ.get("TF_NUM_INTRAOP_THREADS", usable_cores()))
    workers = usable_cores() // threads
    return f"--epochs={EPOCHS}", "--cluster=local", f"--workers={workers}"


def test_several_at_a_time(start, finished_runs, killed_runs, tmp_path):
    """With Ray on this machine: one network from its start, one where it was killed."""
    shutil.copytree(killed_runs, tmp_path / "runs")
    for file in (tmp_path / "runs").glob("*/*alpha0.5*"):
        file.unlink()
    process = start(*several())
    wait_for(process, f"epoch 3/{EPOCHS}")
    command = psutil.Process(process.pid)
    listening = {
        connection.laddr.ip.removeprefix("::ffff:")
        for each in (command, *command.children(recursive=True))
        for connection in each.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}
    output = finish(process)
    assert output.count(" done: top-1") == 2
    assert_whole(tmp_path / "runs", finished_runs)


@pytest.mark.thorough
def test_several_at_a_time_are_killed(start, finished_runs, tmp_path):
    flags = several()
    process = start(*flags)
    wait_for(process, f"epoch 2/{EPOCHS}")
    children = psutil.Process(process.pid).children(recursive=True)
    # Ray's agents outlive it by a minute, in which they try to report its end.
    working = [child for child in children if not child.name().endswith("Agent")]
    assert len(working) > 1
    process.kill()
    killed = time.time()
    assert not psutil.wait_procs(working, timeout=60)[1]
    # Its processes go on for seconds, but write nothing any more.
    files = [path for path in (tmp_path / "runs").rglob("*") if path.is_file()]
    assert max(path.stat().st_mtime for path in files) < killed + 1
    before = len(records(tmp_path / "runs"))  # one may have been done by then
    resumed = finish(start(*flags))
    assert resumed.count(" done: top-1") == 2 - before
    assert resumed.count(f": epoch 1/{EPOCHS}") < 2  # at least one goes on
    assert_whole(tmp_path / "runs", finished_runs)
