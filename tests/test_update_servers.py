"""Servers that send too much, lie, or lack a file: what the device does then."""

import dataclasses
import re

import fleet as fleets
import pytest

from benchmarks.update_server import Faults
from mobilenet_tf import update

# The fixtures `fleet` and `prepared_fleet`.
pytest_plugins = (fleets.__name__,)
pytestmark = pytest.mark.usefixtures("self_tests_in_process")

_EXTRA = 1 << 26  # bytes; many times what the sockets' buffers hold


def arrived(fleet):
    """Sizes of what is kept of downloads that have not ended."""
    folder = fleet.path.with_name("flowers.tflite.update") / "partial"
    return [path.stat().st_size for path in folder.iterdir()]


@pytest.mark.parametrize("only", ["timestamp.json", ".2.tflite"])
@pytest.mark.parametrize("length", ["abc", "-5", "1_000", "9" * 5000])
def test_a_length_that_is_no_number(fleet, only, length):
    fleet.without_deltas()
    fleet.server.faults = Faults(only=only, length=length)
    message = f"the server says '{length[:40]}' as Content-Length, which is no number"
    with pytest.raises(update.UpdateError, match=message):
        fleet.install()


def test_a_redirection_to_what_is_no_address(fleet):
    fleet.server.faults = Faults(only="timestamp.json", redirect="http://[1")
    with pytest.raises(update.UpdateError, match="the server cannot be reached or fai"):
        fleet.install()


@pytest.mark.parametrize("length", [None, ""])
@pytest.mark.parametrize(
    ("only", "message"),
    [
        ("timestamp.json", r"is longer than 16,384 bytes"),
        (".snapshot.json", r"is longer than [\d,]+ bytes"),
        ("releases.json", r"is longer than the [\d,]+ bytes that are signed"),
        (".2.tflite", r"is longer than the [\d,]+ bytes that are signed"),
    ],
)
def test_a_server_that_sends_too_much(fleet, only, message, length):
    """It is cut off, and neither the memory nor the disk takes more than is signed."""
    fleet.without_deltas()
    fleet.server.faults = Faults(only=only, extra=_EXTRA, length=length)
    with pytest.raises(update.UpdateError, match=message):
        fleet.install()
    assert sum(arrived(fleet)) == 0  # what belongs to no signed file is of no use
    assert fleet.server.sent < _EXTRA / 2


def test_the_disk_holds_no_more_than_is_signed(fleet, monkeypatch):
    """Nor while too much arrives, the part that came before a cut included."""
    fleet.without_deltas()
    fleet.server.faults = Faults(only=".2.tflite", cut_at=20_000)
    with pytest.raises(update.UpdateError, match="was cut"):
        fleet.install()
    sizes, blocks = [], update.client.download.Fetcher._blocks

    def watched(*arguments):
        for block in blocks(*arguments):
            yield block
            sizes.append(sum(arrived(fleet)))

    monkeypatch.setattr(update.client.download.Fetcher, "_blocks", watched)
    fleet.server.faults = Faults(only=".2.tflite", extra=_EXTRA, length="")
    with pytest.raises(update.UpdateError, match="bytes that are signed"):
        fleet.install()
    whole = fleet.repository_path.glob("targets/flowers/*.2.tflite")
    assert 20_000 < max(sizes) <= next(whole).stat().st_size
    fleet.server.faults = Faults()
    assert fleet.install().changed


def test_a_file_that_was_shorter_on_the_server_for_a_while(fleet):
    """The device has more of it than the server then: it begins anew later."""
    fleet.without_deltas()
    fleet.server.faults = Faults(only=".2.tflite", cut_at=20_000)
    fleet.refuses("was cut")
    (target,) = fleet.repository_path.glob("targets/flowers/*.2.tflite")
    content = target.read_bytes()
    target.write_bytes(content[:1000])
    fleet.server.faults = Faults()
    fleet.refuses("416")
    target.write_bytes(content)
    outcome = fleet.install()
    assert outcome.changed and outcome.received > len(content)


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        (Faults(flip_at=1000), "delta is refused, the whole file is taken: "),
        (Faults(extra=9), "delta is refused, the whole file is taken: .* longer than"),
        (Faults(status=404), "there is no delta, the whole file is taken: .* 404"),
    ],
)
def test_a_delta_that_is_damaged_or_missing(fleet, faults, reason):
    """The whole file comes instead, and the device says why."""
    fleet.server.faults = dataclasses.replace(faults, only=".delta")
    outcome = fleet.install()
    assert outcome.message.startswith("updated: version 1 -> 2, by whole file")
    assert re.search(reason, fleet.lines[-1]) and fleet.best() == "rose"
    assert not arrived(fleet)


@pytest.mark.parametrize("faults", [Faults(status=503), Faults(cut_at=1000)])
def test_a_delta_that_may_come_later(fleet, faults):
    """The server fails, or the connection: then a larger file is no remedy."""
    fleet.server.faults = dataclasses.replace(faults, only=".delta")
    fleet.refuses("the server cannot be reached or fails")
    fleet.server.faults = Faults()
    assert "by delta" in fleet.install().message


def test_a_damaged_delta_does_not_excuse_a_damaged_file(fleet):
    fleet.server.faults = Faults(only="/targets/flowers/", flip_at=1000)
    fleet.refuses("refused, a file differs from what is signed")
    asked = [path for path, _ in fleet.server.requests if "/flowers/" in path]
    assert asked[0].endswith(".delta") and asked[-1].endswith(".2.tflite")
