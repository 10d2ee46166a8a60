"""Updates over the air: what is published arrives, is tested, and can be taken back."""

import shutil
import subprocess
import sys

import fleet as fleets
import pytest
import tiny_litert
from conftest import ROOT

import mobilenet_tf
from mobilenet_tf import update
from mobilenet_tf.models.keras_file import TrainingInfo
from mobilenet_tf.update import deltas, self_test

# The fixtures `fleet` and `prepared_fleet`.
pytest_plugins = (fleets.__name__,)


def fetched(fleet):
    """Names of the targets that were asked for, without their hashes."""
    paths = [path for path, _ in fleet.server.requests if "/targets/" in path]
    return [path.partition(".")[2] for path in paths]


def test_a_delta_where_the_device_has_the_base(fleet):
    old = fleet.path.read_bytes()
    outcome = fleet.install()
    assert outcome.changed and outcome.version == 2
    assert outcome.message.startswith("updated: version 1 -> 2, by delta, ")
    assert fetched(fleet) == ["releases.json", "1-2.delta"]  # the image is there
    assert fleet.path.read_bytes() == tiny_litert.network("rose", 2)
    assert fleet.best() == "rose"
    folder = fleet.path.with_name("flowers.tflite.update")
    assert (folder / "previous.tflite").read_bytes() == old
    left = {path.name for path in folder.rglob("*")} - {"root_history", "1.root.json"}
    assert {name for name in left if not name.endswith((".json", ".png"))} == {
        *("lock", "metadata", "partial", "previous.tflite", "tests")
    }
    again = fleet.install()
    assert not again.changed and again.message == "up to date: version 2"


@pytest.mark.parametrize("before", [None, b"a file that nobody has published"])
def test_the_whole_file_where_it_has_not(fleet, before):
    fleet.path.unlink()
    if before:
        fleet.path.write_bytes(before)
    outcome = fleet.install()
    assert outcome.message.startswith("updated: version 0 -> 2, by whole file")
    assert fleet.best() == "rose" and "2.tflite" in fetched(fleet)
    assert not any(name.endswith(".delta") for name in fetched(fleet))


def test_an_older_version_takes_a_delta_of_its_own(fleet):
    fleet.publish("tulip", 3)
    assert "by delta" in fleet.install().message
    assert fetched(fleet) == ["releases.json", "1-3.delta"] and fleet.best() == "tulip"


def test_without_the_codec_the_whole_file_comes(fleet, monkeypatch):
    def missing(*_):
        raise ImportError("the codec needs constriction")

    monkeypatch.setattr(deltas, "apply", missing)
    assert "by whole file" in fleet.install().message
    assert fleet.lines[-1].endswith("is taken: the codec needs constriction")


def test_going_back(fleet):
    fleet.install()
    outcome = update.go_back(fleet.path)
    assert outcome.changed and outcome.version == 1 and fleet.best() == "daisy"
    with pytest.raises(update.UpdateError, match="there is no previous network"):
        update.go_back(fleet.path)
    stays = fleet.install()
    assert not stays.changed and fleet.best() == "daisy"
    assert stays.message == "version 2 stays out: the device went back from it"
    assert fleet.install(retry=True).changed and fleet.best() == "rose"
    update.go_back(fleet.path)
    fleet.publish("tulip", 3)
    assert fleet.install().version == 3 and fleet.best() == "tulip"


def previous_of(fleet):
    return fleet.path.with_name("flowers.tflite.update") / "previous.tflite"


def test_going_back_to_a_damaged_network_is_refused(fleet):
    """A flipped bit of a weight: the file runs and gives its class, and is another."""
    fleet.install()
    previous = previous_of(fleet)
    content = bytearray(previous.read_bytes())
    content[len(content) // 2] ^= 1
    previous.write_bytes(content)
    for _ in range(2):
        with pytest.raises(update.UpdateError, match="is not the file that was in pla"):
            update.go_back(fleet.path)
        assert fleet.best() == "rose" and previous.read_bytes() == content
        assert not fleet.install().changed  # which writes the state again


def test_going_back_to_a_network_that_fails_is_refused(fleet, monkeypatch):
    """As where the device's interpreter is another one by now."""
    fleet.install()
    monkeypatch.setattr(self_test, "_result", lambda *_: {"best": 2})
    message = "previous network is refused: the network gives the class tulip, expected"
    with pytest.raises(update.UpdateError, match=message):
        update.go_back(fleet.path)
    monkeypatch.undo()
    assert fleet.best() == "rose"


@pytest.mark.parametrize("runs", [True, False])
def test_going_back_to_a_file_placed_by_hand(fleet, runs):
    """It has no self-test, but must run; before the first update there is no state."""
    shutil.rmtree(fleet.path.with_name("flowers.tflite.update"))
    by_hand = tiny_litert.network("tulip", 9) if runs else b"no network"
    fleet.path.write_bytes(by_hand)
    assert fleet.install().version == 2
    if runs:
        assert update.go_back(fleet.path).message == "went back to version 0"
        assert fleet.path.read_bytes() == by_hand
    else:
        with pytest.raises(update.UpdateError, match="the network cannot be run"):
            update.go_back(fleet.path)
        assert fleet.best() == "rose"


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (tiny_litert.network("tulip", 3), "gives the class tulip, expected 'rose'"),
        (tiny_litert.network("rose", 3, scale=float("nan")), "are no numbers"),
        (tiny_litert.network("rose", 3)[:5000], "cannot be run"),
        (b"no network", "cannot be run"),
    ],
)
def test_a_network_that_fails_its_self_test(fleet, monkeypatch, network, reason):
    """It passes on the publisher's machine, and not on the device's."""
    passed = self_test.Prepared(fleet.photograph, 1, "rose")
    monkeypatch.setattr(self_test, "prepare", lambda *_: passed)
    file = fleet.folder / "new.tflite"
    file.write_bytes(network)
    fleet.repository().publish(file, fleet.photograph, "rose", delta_count=0)
    with pytest.raises(update.UpdateError, match=f"version 3 is refused: .*{reason}"):
        fleet.install()
    assert fleet.best() == "daisy"
    before = len(fleet.server.requests)
    stays = fleet.install()  # nor is it downloaded again
    assert reason in stays.message and stays.message.startswith("version 3 stays out")
    assert all(
        "/targets/" not in path or "releases" in path
        for path, _ in fleet.server.requests[before:]
    )


def test_a_network_that_hangs(fleet, monkeypatch):
    monkeypatch.setattr(self_test.run, "__defaults__", (0.01,))
    with pytest.raises(update.UpdateError, match="takes more than"):
        fleet.install()
    assert fleet.best() == "daisy"


def test_wrong_arguments_of_installing(fleet, tmp_path):
    install, url = update.install, fleet.server.url
    new = tmp_path / "new.tflite"
    for arguments, more, message in (
        ((tmp_path / "a.onnx", url), {}, r"path must end in \.keras or \.tflite"),
        ((tmp_path / "none" / "a.tflite", url), {}, "be in an existing folder"),
        ((new, "ftp://x"), {"trusted_root": fleet.root}, "url must begin with http"),
        ((new, url), {}, "trusted_root must be given the first time"),
        (
            (new, url),
            {"trusted_root": fleet.photograph},
            "must be a repository's 1.roo",
        ),
        ((new, url), {"seconds": 0}, "seconds must be a number > 0"),
        ((new, url), {"max_bytes": 0}, "max_bytes must be an integer >= 1"),
        (
            (new, url),
            {"trusted_root": fleet.root, "name": "trees"},
            "name must be one of the networks published, flowers; got 'trees'",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            install(*arguments, **more)
    with pytest.raises(update.UpdateError, match="more than max_bytes, 100"):
        install(new, url, trusted_root=fleet.root, max_bytes=100)
    keras = tmp_path / "flowers.keras"
    with pytest.raises(update.UpdateError, match=r"is a \.tflite file, but"):
        install(keras, url, trusted_root=fleet.root)
    assert not new.exists() and not keras.exists()


def test_two_at_once(fleet):
    with (
        update.device.Device(fleet.path).opened(),
        pytest.raises(update.UpdateError, match="another process updates"),
    ):
        fleet.install()


WITHOUT_TENSORFLOW = """
import sys
sys.modules.update(dict.fromkeys(["keras", "tensorflow", "h5py", "matplotlib"]))
from mobilenet_tf.cli import program
program.main(sys.argv[1:])
"""


def test_a_device_without_tensorflow(fleet):
    fleet.publish("tulip", 3)
    arguments = ["update", fleet.path, f"--url={fleet.server.url}"]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "updated: version 1 -> 3, by delta" in done.stdout
    assert fleet.best() == "tulip"


def test_a_keras_file(fleet, small, tmp_path):
    """The self-test of a `.keras` file is what `predict` says."""
    path = tmp_path / "network.keras"
    small.training_info = TrainingInfo(class_names=("a", "b", "c"))
    mobilenet_tf.save_model(small, path)
    result = self_test._result(path, fleet.photograph, 300)
    (prediction,) = mobilenet_tf.predict(small, fleet.photograph)
    assert "abc"[result["best"]] == prediction.class_name
    assert result["side"] == 74  # whose central 87.5 % are the network's 64
    assert self_test.class_names(path) == ("a", "b", "c")
