"""An update server with a small network, and a device, for the tests of updates."""

import contextlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("ai_edge_litert")
pytest.importorskip("constriction")
pytest.importorskip("tuf")

import tiny_litert

from benchmarks.update_server import Server
from mobilenet_tf import update
from mobilenet_tf.update import self_test, self_test_process


@pytest.fixture(scope="session")
def prepared_fleet(tmp_path_factory):
    """Version 1 on a server and a device, version 2 with a delta on the server."""
    folder = tmp_path_factory.mktemp("prepared_fleet")
    prepare(folder)
    return folder


@pytest.fixture
def fleet(prepared_fleet, tmp_path):
    """A copy of the prepared fleet, whose server runs."""
    with served(prepared_fleet, tmp_path) as running:
        yield running


@pytest.fixture
def self_tests_in_process(monkeypatch):
    """For tests of anything else: a process starts in half a second."""
    monkeypatch.setattr(
        self_test,
        "_printed",
        lambda network, image, seconds: self_test_process.main(network, image),
    )


class Fleet:
    """A repository that is served, and a device.

    Args:
        folder: An empty folder.
        server: Serves `folder / "server"`.
    """

    def __init__(self, folder: Path, server: Server):
        self.folder, self.server = folder, server
        self.repository_path, self.keys = folder / "server", folder / "keys"
        self.path = folder / "device" / "flowers.tflite"
        self.root = self.repository_path / "metadata" / "1.root.json"
        self.photograph = folder / "photo.png"
        self.lines: list[str] = []
        self.path.parent.mkdir(exist_ok=True)

    def repository(self, **arguments):
        return update.Repository(
            self.repository_path, [self.keys], report=self.lines.append, **arguments
        )

    def publish(self, best="rose", seed=0, expected=None, **arguments):
        """A new version: the network that gives a class."""
        file = self.folder / "flowers.tflite"
        file.write_bytes(tiny_litert.network(best, seed))
        repository = self.repository(lifetimes=arguments.pop("lifetimes", None))
        return repository.publish(file, self.photograph, expected or best, **arguments)

    def install(self, **arguments):
        arguments.setdefault("trusted_root", self.root)
        arguments.setdefault("report", self.lines.append)
        return update.install(self.path, self.server.url, **arguments)

    def best(self):
        """The class that the network on the device gives, run by LiteRT."""
        result = self_test_process.main(self.path, self.photograph)
        return tiny_litert.CLASSES[result["best"]]

    def refuses(self, message, **arguments):
        """Check that an update fails with a message, and the old network stays."""
        before = self.path.read_bytes()
        with pytest.raises(update.UpdateError, match=message):
            self.install(**arguments)
        assert self.path.read_bytes() == before and self.best() == "daisy"

    def without_deltas(self):
        """The device gets the whole file, as it has another base."""
        self.path.write_bytes(tiny_litert.network("daisy", 77))


def prepare(folder: Path) -> None:
    """Publish version 1, install it, publish version 2 with a delta, in a folder."""
    fleet = Fleet(folder, Server(folder / "server"))
    fleet.server.server_close()
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype="uint8")
    Image.fromarray(pixels).save(fleet.photograph)
    fleet.publish("daisy", 1)
    url = (folder / "server").as_uri()
    update.install(fleet.path, url, trusted_root=fleet.root, report=fleet.lines.append)
    fleet.publish("rose", 2)


@contextlib.contextmanager
def served(prepared: Path, folder: Path):
    """A copy of what `prepare` has made, whose server runs."""
    shutil.copytree(prepared, folder, dirs_exist_ok=True, symlinks=True)
    with Server(folder / "server").running() as server:
        yield Fleet(folder, server)
