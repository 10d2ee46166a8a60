"""Power cuts during updates over the air: is there always a network that runs?

    python -m benchmarks.update_faults

A device updates a MobileNet as LiteRT file from a server on loopback, and is killed
with SIGKILL: at random moments, before each operation on its files in turn, and after
the last. Then the network in place is run on an image; it must be the old or the new
one, of which each occurs, and give its class. After every fourth kill the device does
again what was interrupted.
"""

import shutil
import tempfile
from pathlib import Path

import keras
import numpy as np
from absl import app, flags
from PIL import Image

import mobilenet_tf
from benchmarks import update_kills
from benchmarks.report import publish
from benchmarks.update_server import Faults, Server
from mobilenet_tf import files, update
from mobilenet_tf.analysis import table
from mobilenet_tf.export.network import Network
from mobilenet_tf.export.tflite import conversion
from mobilenet_tf.update import self_test

flags.DEFINE_integer("kills", 210, "Kills at random moments, in all.", 3)
flags.DEFINE_integer("every", 1, "Distance of the file operations to kill at.", 1)
flags.DEFINE_integer("processes", 6, "Devices that are updated at a time.", 1)
flags.DEFINE_integer("seed", 0, "Seed of the networks and the moments.")

NAME = "flowers.tflite"
DRILLS = {"delta": "install", "whole file": "install", "going back": "go_back"}
PAUSE = 0.001  # seconds between blocks of 4 kB: about 4 MB/s


def networks(folder: Path, seed: int) -> list[Path]:
    """Three networks that differ in the classifier; the last is not published."""
    keras.utils.set_random_seed(seed)
    model = mobilenet_tf.build(0.25, base_resolution=64, classes=10)
    classifier = next(layer for layer in reversed(model.layers) if layer.weights)
    paths = []
    for version in range(3):
        kernel, bias = classifier.get_weights()
        bias = 3 * np.eye(10, dtype="float32")[version]
        kernel = kernel + np.random.default_rng(version).normal(0, 0.01, kernel.shape)
        classifier.set_weights([kernel.astype("float32"), bias])
        path = folder / f"version_{version}" / NAME
        path.parent.mkdir()
        path.write_bytes(conversion.float_file(Network.of(model)).packed())
        paths.append(path)
    return paths


def prepare(folder: Path, paths: list[Path], seed: int) -> dict[str, object]:
    """A server with two versions, and the devices to start from."""
    image = folder / "image.png"
    pixels = np.random.default_rng(seed).integers(0, 256, (64, 64, 3), "uint8")
    Image.fromarray(pixels).save(image)
    classes = [self_test._result(path, image, 60)["best"] for path in paths]
    old, new, unknown = paths
    served = folder / "server"
    repository = update.Repository(served, [folder / "keys"])
    repository.publish(old, image, classes[0])
    root = repository.root_path
    devices = {name: folder / "devices" / name / NAME for name in DRILLS}
    for path in devices.values():
        path.parent.mkdir(parents=True)
        update.install(path, served.as_uri(), trusted_root=root)
    repository.publish(new, image, classes[1])
    shutil.copy(unknown, devices["whole file"])
    update.install(devices["going back"], served.as_uri())
    return {
        "image": str(image),
        "classes": {
            files.digest(path): index
            for path, index in zip(paths, classes, strict=True)
        },
        "drills": [
            {"name": name, "device": str(path), "action": DRILLS[name]}
            for name, path in devices.items()
        ],
    }


def main(_):
    given = flags.FLAGS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = networks(folder, given.seed)
        config = prepare(folder, paths, given.seed)
        size = paths[0].stat().st_size
        with Server(folder / "server").running() as server:
            server.faults = Faults(only="/targets/", pause=PAUSE)
            config |= {"url": server.url, "kills": given.kills}
            config |= {"every": given.every, "seed": given.seed}
            config |= {"processes": given.processes}
            results = update_kills.run_in_process(config)
    columns = ("killed during", "kills", "old runs", "new runs", "recovered")
    keys = ("kills", "old", "new", "recovered")
    rows = [
        (kind, *(f"{counts.get(key, 0):,}" for key in keys))
        for kind, counts in results.items()
    ]
    total = [
        f"{sum(counts.get(key, 0) for counts in results.values()):,}" for key in keys
    ]
    publish(
        "update_faults",
        f"{table.render(columns, [*rows, ('in all', *total)])}\n\n"
        f"MobileNet 0.25 at 64 px, {size:,} bytes.",
        given.documents,
    )


if __name__ == "__main__":
    app.run(main)
