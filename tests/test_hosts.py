"""Several processes that train together: how they meet, and what ends them."""

import contextlib
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import mobilenet_tf
from mobilenet_tf import hosts
from mobilenet_tf.hosts import connection, own_address, rendezvous, sources
from mobilenet_tf.hosts.connection import established

TWO = ("127.0.0.1", "127.0.0.1")


def pair(port):
    return [hosts.Hosts(TWO, port, index) for index in (0, 1)]


def test_parse():
    chosen = hosts.parse(["node-1:9000", "10.0.0.2", "node-1"], 2)
    assert (chosen.names, chosen.port) == (("node-1", "10.0.0.2", "node-1"), 9000)
    assert (chosen.count, chosen.own, chosen.local_index) == (3, "node-1", 1)


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
        (["a b", "c"], 0, {}, "hosts must be names or IPv4 addresses"),
        (["[fe80::1]:9000", "b"], 0, {}, "IPv4 addresses, not of IPv6"),
        (["a", "fe80::1"], 0, {}, "IPv4 addresses, not of IPv6"),
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
    message = r"cannot listen at 192\.0\.2\.1:.*of this machine at host_index 0, with"
    with pytest.raises(hosts.HostError, match=message):
        rendezvous.receive(elsewhere, {}, {}, 5)
    with pytest.raises(hosts.HostError, match=message), established(elsewhere, 5):
        pass
    unknown = hosts.Hosts(("nowhere.invalid", "127.0.0.1"), port, 0)
    message = r"cannot listen at nowhere\.invalid"
    with pytest.raises(hosts.HostError, match=message), established(unknown, 5):
        pass


def test_every_process_checks_its_own_address(port):
    """Before it comes to the first one, which would wait for it in vain."""
    elsewhere = hosts.Hosts(("127.0.0.1", "192.0.2.1"), port, 1)
    message = r"listen at 192\.0\.2\.1 \([\w ]*\): .* this machine at host_index 1$"
    with pytest.raises(hosts.HostError, match=message), established(elsewhere, 5):
        pass


@pytest.mark.parametrize("other", ["192.0.2.2", "nowhere.invalid"])
@pytest.mark.parametrize("index", [0, 1])
def test_a_name_that_is_loopback_on_its_own_machine(port, monkeypatch, other, index):
    """As Debian's /etc/hosts has it."""
    resolve = socket.getaddrinfo

    def resolve_here(name, *more, **options):
        own = "127.0.1.1" if name == "node-1" else name
        return resolve(own, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_here)
    names = ("node-1", other) if index == 0 else (other, "node-1")
    message = rf"hosts must be addresses of .*: node-1 is 127\.0\.1\.1 .*{other} cannot"
    with (
        pytest.raises(ValueError, match=message),
        established(hosts.Hosts(names, port, index), 5),
    ):
        pass
    own_address.check_reachable(hosts.Hosts(("node-1", "127.0.0.1"), port, 0))


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
    message = r"same versions: host 1 .* has keras 3\.14\.0, host 0 .* has 3\.15\.1"
    with ThreadPoolExecutor() as pool:
        guest = pool.submit(rendezvous.announce, second, {"keras": "3.14.0"}, 20)
        with pytest.raises(ValueError, match=message) as own:
            rendezvous.receive(first, {"keras": "3.15.1"}, {}, 20)
        assert str(guest.exception()) == str(own.value)


def test_other_code_has_another_digest(tmp_path):
    def digest(name, files):
        for file, text in files.items():
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return sources.digest(tmp_path / name)

    code = {"__init__.py": "", "room/net.py": "alpha = 1\n"}
    expected = digest("checkout", code)
    assert len(expected) == 12
    more = {"notes.txt": "x", ".old/net.py": "x", "room/.net.py": "x"}
    assert digest("the same", {**code, **more}) == expected
    others = [
        digest("changed", {**code, "room/net.py": "alpha = 2\n"}),
        digest("moved", {"__init__.py": "", "net.py": "alpha = 1\n"}),
        digest("swapped", {"__init__.py": "alpha = 1\n", "room/net.py": ""}),
        digest("longer", {**code, "room/other.py": ""}),
    ]
    assert len({expected, *others}) == 5


def test_hosts_compare_their_code():
    pytest.importorskip("jax")
    folder = Path(mobilenet_tf.__file__).parent
    assert connection.versions()["mobilenet_tf code"] == sources.digest(folder)


def test_a_number_is_taken_once(port):
    three = hosts.Hosts((*TWO, "127.0.0.1"), port, 0)
    with ThreadPoolExecutor() as pool:
        second = pair(port)[1]
        guests = [pool.submit(rendezvous.announce, second, {}, 5) for _ in range(2)]
        with pytest.raises(hosts.HostError, match=r"host 2 .* has not come"):
            rendezvous.receive(three, {}, {}, 3)
        errors = [str(guest.exception()) for guest in guests]
    assert any("host_index 1 is taken" in error for error in errors)
    assert any("host 2" in error for error in errors)  # the other learns it too


def knock(port, index):
    """Come as the process of a number, and end at once."""
    while True:
        with contextlib.suppress(ConnectionRefusedError):
            with socket.create_connection(("127.0.0.1", port), 5) as guest:
                guest.sendall(b'{"index": %d, "versions": {}}\n' % index)
            return


def test_a_process_that_is_started_again_takes_its_place(port):
    three = [hosts.Hosts((*TWO, "127.0.0.1"), port, index) for index in range(3)]
    with ThreadPoolExecutor() as pool:
        first = pool.submit(rendezvous.receive, three[0], {}, {"address": "x"}, 20)
        knock(port, 1)
        others = [pool.submit(rendezvous.announce, own, {}, 20) for own in three[1:]]
        assert [other.result() for other in others] == [{"address": "x"}] * 2
        first.result()


def test_a_process_that_has_ended_has_not_come(port):
    three = hosts.Hosts((*TWO, "127.0.0.1"), port, 0)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(rendezvous.receive, three, {}, {}, 1)
        knock(port, 1)
        with pytest.raises(hosts.HostError, match=r"host 1 .*, host 2 .* has not come"):
            first.result()


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
    assert connection.has_broken(error) == broken
