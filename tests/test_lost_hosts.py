"""What the processes of a training say when one is lost, or the service is."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import ROOT, import_path

from mobilenet_tf import hosts
from mobilenet_tf.hosts import cluster, connection, rendezvous, service
from mobilenet_tf.hosts.connection import established

jax = pytest.importorskip("jax")
pytest.importorskip("psutil")


def pair(port):
    return [hosts.Hosts(("127.0.0.1",) * 2, port, index) for index in (0, 1)]


class SlowClient:
    """Stands for JAX's client: another process sets its value at the third look."""

    def __init__(self):
        self.values, self.looks = {}, 0

    def key_value_set(self, key, value, allow_overwrite=False):
        self.values[key] = value

    def key_value_dir_get(self, folder):
        time.sleep(0.2)
        return [item for item in self.values.items() if item[0].startswith(folder)]

    def blocking_key_value_get(self, key, milliseconds):
        self.looks += 1
        if self.looks == 3:
            self.values[key] = '{"name": "a"}'
        return self.values[key]


def test_a_process_that_lives_is_waited_for():
    """It may load a data set for longer than all took to connect."""
    before, own, client = threading.active_count(), pair(9000)[1], SlowClient()
    joined = cluster.Cluster(own, client)
    try:
        joined.agree("data set", {"name": "a"})
        assert client.looks >= 3
        client.looks = 4
        with pytest.raises(cluster.HostError, match="not told its devices within 0 s"):
            joined.agree("devices", {"CPU": 1}, seconds=0)
    finally:
        joined.watch.stop()
    assert threading.active_count() <= before  # none is inside the client


def test_a_process_without_devices(monkeypatch):
    """Its own error, which the others learn; or that of another one."""

    def use_devices(hosts, client):
        raise RuntimeError("Unable to initialize backend 'cpu'")

    monkeypatch.setattr(connection, "use_devices", use_devices)
    client = SlowClient()
    for message in (
        r"JAX cannot start on host 1 \(.*Unable",
        "host 0 .* disk is full",
    ):
        joined = cluster.Cluster(pair(9000)[1], client)
        try:
            while "failed/0" in client.values and joined.watch.reason() is None:
                time.sleep(0.01)
            with pytest.raises(hosts.HostError, match=message):
                joined.start_devices()
        finally:
            joined.watch.stop()
        assert client.values["failed/1"] == "Unable to initialize backend 'cpu'"
        client.values["failed/0"] = "the disk is full"


def test_platforms_without_devices(monkeypatch):
    def default_backend():
        raise AssertionError  # as JAX does

    monkeypatch.setattr(jax, "default_backend", default_backend)
    with pytest.raises(RuntimeError, match="JAX_PLATFORMS must name a platform that"):
        connection.devices()


def a_service(monkeypatch, program):
    """Let another program be the coordination service."""
    monkeypatch.setattr(service, "_COMMAND", (sys.executable, "-c", program))
    monkeypatch.setattr(connection, "versions", dict)


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (r"import sys; sys.exit('Traceback\nthe port is taken')", "the port is taken"),
        ("import sys; sys.exit(3)", "exit code 3"),
    ],
)
def test_the_service_ends_before_others_come(port, monkeypatch, program, reason):
    a_service(monkeypatch, program)
    message = rf"coordination service at 127\.0\.0\.1:\d+ has ended: {reason}$"
    with pytest.raises(hosts.HostError, match=message), established(pair(port)[0], 60):
        pass


def test_the_service_ends_before_it_listens(port, monkeypatch):
    """All others have come by then: they learn it too."""
    a_service(monkeypatch, "import time; time.sleep(2); raise SystemExit('no memory')")
    first, second = pair(port)
    with ThreadPoolExecutor() as pool:
        other = pool.submit(rendezvous.announce, second, {}, 60)
        with (
            pytest.raises(hosts.HostError, match="no memory") as own,
            established(first, 60),
        ):
            pass
        assert str(other.exception()) == str(own.value)


def test_the_service_finds_its_port_taken(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")  # or JAX is absent there
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with (
            pytest.raises(hosts.HostError, match=f"{address} has ended: .*server"),
            service.Service(address, 2, 60) as started,
        ):
            while not started.listens():
                time.sleep(0.05)


@pytest.fixture
def together(port):
    """Runs both processes in a mode; returns their exit codes, output and errors."""
    started = []

    def run(mode):
        environment = {
            **os.environ,
            "KERAS_BACKEND": "jax",
            "PYTHONPATH": import_path(ROOT, ROOT / "tests"),
        }
        for index in (0, 1):
            command = [sys.executable, "-m", "host_process", str(port), str(index)]
            started.append(
                subprocess.Popen(
                    [*command, mode],
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
        first, second = started
        said = first.stdout.readline()  # both are connected
        connected = time.monotonic()
        outputs = [(said, first.communicate(timeout=120)[1])]
        assert time.monotonic() - connected < 60
        if mode == "SIGSTOP":
            second.kill()
        outputs.append(second.communicate(timeout=120))
        return [
            (process.returncode, *texts)
            for process, texts in zip(started, outputs, strict=True)
        ]

    yield run
    for process in started:
        process.kill()


def one_line(errors):
    return [line for line in errors.splitlines() if line.strip()]


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("SIGKILL", "host 1 (127.0.0.1) has ended or cannot be reached"),
        pytest.param(
            "SIGSTOP",
            "host 1 (127.0.0.1) has ended or cannot be reached",
            marks=pytest.mark.thorough,
        ),
        pytest.param(
            "fails",
            "host 1 (127.0.0.1) has failed: the disk is full",
            marks=pytest.mark.thorough,
        ),
        pytest.param(
            "differs",
            "all hosts must have the same flags: host 1 (127.0.0.1) has --epochs 1",
            marks=pytest.mark.thorough,
        ),
    ],
)
def test_one_error_ends_all(together, mode, message):
    (code, output, errors), (other, _, others_errors) = together(mode)
    assert code == 1 and other != 0
    gathered, listening = json.loads(output)
    assert gathered == [0, 1] and listening == ["127.0.0.1"]
    (line,) = one_line(errors)
    assert message in line
    if mode == "fails":
        assert one_line(others_errors) == ["error: the disk is full"]
    if mode == "SIGKILL":
        assert other == -signal.SIGKILL


@pytest.mark.thorough
def test_other_numbers_of_devices(together):
    """An error on both, before one waits for the devices of the other."""
    (code, output, errors), (other, *_) = together("devices")
    assert code == other == 1 and not output
    (line,) = one_line(errors)
    assert line == (
        "error: all hosts must have the same devices: host 1 (127.0.0.1) has devices "
        "2, host 0 (127.0.0.1) has 1; a host must not run more processes than it has "
        "devices"
    )


@pytest.mark.thorough
def test_the_first_host_is_lost_while_another_computes(together):
    """The service lives on until the other has noticed: JAX would abort it."""
    (code, *_), (other, _, errors) = together("first lost")
    assert code == -signal.SIGKILL and other == 1
    (line,) = one_line(errors)
    assert "host 0 (127.0.0.1) has ended or cannot be reached" in line


@pytest.mark.thorough
def test_one_has_no_devices(together):
    """JAX says so with errors of Python, and the other waits for its devices."""
    (code, _, errors), (other, _, others_errors) = together("no devices")
    assert code == other == 1
    (line,) = one_line(others_errors)
    assert line.startswith("error: JAX cannot start on host 1 (127.0.0.1): ")
    (line,) = one_line(errors)
    assert "host 1 (127.0.0.1) has failed: " in line
