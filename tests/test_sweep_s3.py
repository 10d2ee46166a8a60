"""A sweep whose files are in a bucket: of an S3 server on this machine."""

import importlib.util

import pytest
import runs
from runs import EPOCHS, assert_whole, finish, records, wait_for
from test_experiment_several import several

server = pytest.importorskip("moto.server", reason="needs moto[server]")
s3fs = pytest.importorskip("s3fs", reason="needs s3fs")

pytest_plugins = (runs.__name__,)  # its fixtures
pytestmark = [
    pytest.mark.thorough,
    # Ray reads its environment when it is imported.
    pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="needs ray"),
]
URL = "s3://sweeps/grid"


@pytest.fixture
def bucket(monkeypatch):
    """An empty bucket, which the processes of a test find by their environment."""
    started = server.ThreadedMotoServer("127.0.0.1", 0)
    started.start()
    host, port = started.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "tests",
        "AWS_SECRET_ACCESS_KEY": "tests",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    system = s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False)
    name = URL.removeprefix("s3://").partition("/")[0]
    system.mkdir(name)
    yield system
    system.rm(name, recursive=True)  # servers of one process share their buckets
    started.stop()


def names(bucket):
    return sorted(path.rpartition("/")[2] for path in bucket.find(URL))


def test_a_killed_command_goes_on_from_a_bucket(bucket, start, finished_runs, tmp_path):
    """Another machine goes on: it has nothing but the address of the bucket."""
    flags = (*several(), f"--storage={URL}")
    process = start(*flags)
    wait_for(process, f"epoch 3/{EPOCHS}")
    process.kill()
    process.communicate()
    assert any(name.endswith(".snapshot.npz") for name in names(bucket))

    before = sum(name.endswith(".json") for name in names(bucket))
    output = finish(start(*flags, workdir="other"))
    assert output.count(" done: top-1") == 2 - before
    assert output.count(f": epoch 1/{EPOCHS}") < 2  # at least one goes on
    assert set(records(tmp_path / "other")) == {"0.5", "0.25"}

    suffixes = sorted(name.rpartition(".")[2] for name in names(bucket))
    assert suffixes == ["json", "json", "keras", "keras"]
    bucket.get(URL, str(tmp_path / "copy"), recursive=True)
    assert_whole(tmp_path / "copy", finished_runs)

    output = finish(start(*flags, workdir="third"))
    assert "epoch 1/" not in output and "| 0.25 " in output


def test_a_server_that_does_not_answer(bucket, start):
    nobody = "http://127.0.0.1:9"
    process = start(*several(), f"--storage={URL}", AWS_ENDPOINT_URL=nobody)
    output, errors = process.communicate(timeout=120)
    assert process.returncode != 0 and "data: " not in output
    assert f"error: --storage '{URL}' cannot be used: " in errors
    assert "Traceback" not in errors
