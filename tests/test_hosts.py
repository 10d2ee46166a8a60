"""Several processes that train together: how they meet, and what ends them."""

import socket
import threading
import time

import pytest

from mobilenet_tf import hosts
from mobilenet_tf.hosts import cluster, rendezvous
from mobilenet_tf.hosts.connection import established

TWO = ("127.0.0.1", "127.0.0.1")


def pair(port):
    return [hosts.Hosts(TWO, port, index) for index in (0, 1)]


def test_parse():
    chosen = hosts.parse(["node-1:9000", "10.0.0.2", "node-1"], 2)
    assert (chosen.names, chosen.port) == (("node-1", "10.0.0.2", "node-1"), 9000)
    assert (chosen.count, chosen.own, chosen.local_index) == (3, "node-1", 1)
    assert hosts.parse(["[fe80::1]:9000", "::1".join("[]")], 0).names[0] == "fe80::1"


@pytest.mark.parametrize(
    ("launcher", "index"),
    [
        ({"SLURM_PROCID": "1", "SLURM_NTASKS": "2"}, 1),
        ({"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "2"}, 0),
        ({"PMI_RANK": "1"}, 1),
    ],
)
def test_the_launcher_gives_the_index(launcher, index):
    assert hosts.parse(["a", "b"], environment=launcher).index == index


@pytest.mark.parametrize(
    ("names", "index", "environment", "message"),
    [
        (["a"], 0, {}, "hosts must be at least two"),
        (["a b", "c"], 0, {}, "hosts must be names or addresses"),
        (["a", "b:9000"], 0, {}, "hosts must have a port at the first only"),
        (["a:70000", "b"], 0, {}, "hosts must have a port from 1 to 65535"),
        (["a", "b"], 2, {}, "host_index must be from 0 to 1"),
        (["a", "b"], -1, {}, "host_index must be an integer >= 0"),
        (["a", "b"], None, {}, "host_index must be given"),
        (
            ["a", "b"],
            None,
            {"SLURM_PROCID": "0", "SLURM_NTASKS": "8"},
            "hosts must name a host once for each of its processes: SLURM_NTASKS is 8",
        ),
    ],
)
def test_illegal_hosts(names, index, environment, message):
    with pytest.raises(ValueError, match=message):
        hosts.parse(names, index, environment)


def test_nobody_answers(port):
    started = time.monotonic()
    with pytest.raises(hosts.HostError, match=f"nobody has answered at .*:{port}"):
        rendezvous.announce(pair(port)[1], {}, 1)
    assert time.monotonic() - started < 10


def test_a_host_that_does_not_come_is_named(port):
    started = time.monotonic()
    with pytest.raises(hosts.HostError, match=r"host 1 \(127.0.0.1\) has not come"):
        rendezvous.receive(pair(port)[0], {}, {}, 1)
    assert time.monotonic() - started < 10


def test_an_address_that_is_taken(port):
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(hosts.HostError, match=f"cannot listen at 127.0.0.1:{port}"),
    ):
        rendezvous.receive(pair(port)[0], {}, {}, 5)


def test_the_address_of_another_machine(port):
    elsewhere = hosts.Hosts(("192.0.2.1", "127.0.0.1"), port, 0)
    message = r"cannot listen at 192\.0\.2\.1.*must be an address of this machine"
    with pytest.raises(hosts.HostError, match=message):
        rendezvous.receive(elsewhere, {}, {}, 5)
    with pytest.raises(hosts.HostError, match=message), established(elsewhere, 5):
        pass
    unknown = hosts.Hosts(("nowhere.invalid", "127.0.0.1"), port, 0)
    message = r"cannot listen at nowhere\.invalid"
    with pytest.raises(hosts.HostError, match=message), established(unknown, 5):
        pass


def test_strangers_at_the_door_are_passed_over(port):
    first, second = pair(port)
    answers = []
    guest = threading.Thread(
        target=lambda: answers.append(rendezvous.announce(second, {"a": "1"}, 20))
    )

    def strangers():
        while not answers:
            try:
                with socket.create_connection(("127.0.0.1", port), 1) as stranger:
                    stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
                    stranger.recv(1)
                break
            except OSError:
                time.sleep(0.05)
        guest.start()

    threading.Thread(target=strangers).start()
    rendezvous.receive(first, {"a": "1"}, {"address": "x"}, 20)
    guest.join()
    assert answers == [{"address": "x"}]


def test_other_versions_are_named_on_both_hosts(port):
    first, second = pair(port)
    errors = []

    def come():
        try:
            rendezvous.announce(second, {"keras": "3.14.0"}, 20)
        except hosts.HostError as error:
            errors.append(str(error))

    guest = threading.Thread(target=come)
    guest.start()
    with pytest.raises(
        ValueError, match=r"same versions: host 1 .* has keras 3"
    ) as own:
        rendezvous.receive(first, {"keras": "3.15.1"}, {}, 20)
    guest.join()
    assert errors == [str(own.value)]
    assert "host 0 (127.0.0.1) has 3.15.1" in errors[0]


def test_a_number_is_taken_once(port):
    first, second = pair(port)
    three = hosts.Hosts((*TWO, "127.0.0.1"), port, 0)
    errors = []

    def come():
        try:
            rendezvous.announce(second, {}, 5)
        except hosts.HostError as error:
            errors.append(str(error))

    threads = [threading.Thread(target=come) for _ in range(2)]
    for thread in threads:
        thread.start()
    with pytest.raises(hosts.HostError, match=r"host 2 .* has not come"):
        rendezvous.receive(three, {}, {}, 3)
    for thread in threads:
        thread.join()
    assert any("host_index 1 is taken" in error for error in errors)
    assert any("host 2" in error for error in errors)  # the other learns it too
    assert first.count == 2


def test_other_backends_are_refused(port):
    with (
        pytest.raises(ValueError, match="hosts must be given with the JAX backend"),
        hosts.joined(pair(port)[0], 5),
    ):
        pass


@pytest.mark.parametrize(
    ("status", "broken"),
    [("UNAVAILABLE", True), ("INTERNAL", True), ("RESOURCE_EXHAUSTED", False)],
)
def test_out_of_memory_is_no_broken_connection(status, broken):
    jax = pytest.importorskip("jax")
    error = jax.errors.JaxRuntimeError(f"{status}: what has happened")
    assert cluster._is_of_connection(error) == broken


class SlowClient:
    """Stands for JAX's client: another process sets its value at the third look."""

    def __init__(self):
        self.values, self.looks = {}, 0

    def key_value_set(self, key, value, allow_overwrite=False):
        self.values[key] = value

    def key_value_dir_get(self, folder):
        return [item for item in self.values.items() if item[0].startswith(folder)]

    def blocking_key_value_get(self, key, milliseconds):
        self.looks += 1
        if self.looks == 3:
            self.values[key] = '{"name": "a"}'
        return self.values[key]


def test_a_process_that_lives_is_waited_for():
    """It may load a data set for longer than all took to connect."""
    own, client = pair(9000)[1], SlowClient()
    joined = cluster.Cluster(own, client)
    try:
        joined.agree("data set", {"name": "a"})
        assert client.looks >= 3
        client.looks = 4
        with pytest.raises(cluster.HostError, match="not told its devices within 0 s"):
            joined.agree("devices", {"CPU": 1}, seconds=0)
    finally:
        joined.watch.stop()
