"""What networks need on a microcontroller: measured once, kept as records."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np

import mobilenet_tf
from experiments.trials import records
from experiments.trials.provenance import provenance
from mobilenet_tf.analysis import cost

if TYPE_CHECKING:
    from mobilenet_tf.export.network import Network

ALPHAS = (0.25, 0.5, 0.75, 1.0)
# TF-Slim's sides, those of the trained records, and smaller ones.
SIDES = (32, 64, 80, 96, 112, 128, 160, 192, 224)
SQUEEZENET_SIDES = (64, 96, 128, 160, 192, 224)
CLASSES = 10


@dataclasses.dataclass(frozen=True)
class Footprint:
    """A network's needs; memory as TensorFlow Lite Micro allocates it.

    Attributes:
        network: "MobileNet" or "SqueezeNet".
        size: Alpha, or the version.
        side: Of the input, in pixels.
        classes: Of the classifier.
        mult_adds: Per image.
        flash_bytes: Size of the file.
        arena_bytes: As `export.micro` writes it.
        persistent_bytes: The part of it that operators keep.
        planned_bytes: Arena without computing wide layers in parts.
        plain_bytes: Arena of what TensorFlow's converter gives.
        estimated_bytes: Arena estimated from the graph, layer by layer.
    """

    network: str
    size: float
    side: int
    classes: int
    mult_adds: int
    flash_bytes: int
    arena_bytes: int
    persistent_bytes: int
    planned_bytes: int
    plain_bytes: int
    estimated_bytes: int

    @property
    def label(self) -> str:
        """Such as "0.25 MobileNet, 96 px"."""
        return f"{self.size:g} {self.network}, {self.side} px"


def build(network: str, size: float, side: int, classes: int) -> keras.Model:
    """A network whose activations have the ranges of a trained one.

    Memory does not depend on weights, but in an untrained network activations fade
    until the scales of int8 are too small for a softmax.
    """
    keras.utils.set_random_seed(0)
    if network == "SqueezeNet":
        return mobilenet_tf.build_squeezenet(
            f"{size:g}", resolution=side, classes=classes
        )
    model = mobilenet_tf.build(size, base_resolution=side, classes=classes)
    generator = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, *statistics = layer.get_weights()
            beta = generator.normal(0, 0.3, beta.shape)
            layer.set_weights([1.5 * gamma, beta, *statistics])
    return model


def convertible(
    network: str, size: float, side: int, classes: int
) -> tuple[Network, np.ndarray]:
    """A network of `build` as the converter takes it, and pixels that calibrate int8.

    Raises:
        ImportError: ai-edge-litert is not installed.
    """
    from mobilenet_tf.export import images
    from mobilenet_tf.export.network import Network

    model = build(network, size, side, classes)
    return Network.of(model), images.resized(images.default_images(2), side)


def measure(network: str, size: float, side: int, classes: int = CLASSES) -> Footprint:
    """Convert a network in three ways, and let the interpreter allocate its memory.

    Args:
        network: "MobileNet" or "SqueezeNet".
        size: Alpha, or the version.
        side: Of the input, in pixels.
        classes: Of the classifier.

    Raises:
        ImportError: tflite-micro is not installed.
    """
    from mobilenet_tf.analysis import activations
    from mobilenet_tf.export import tflm
    from mobilenet_tf.export.tflite import micro
    from mobilenet_tf.export.tflite.flatbuffer import File

    graph, calibration = convertible(network, size, side, classes)
    content = micro.plain_file(graph, calibration).content()
    nothing = np.empty((0, side, side, 3), "int8")

    def allocated(**options):
        smaller = micro.use_less_memory(File(content), **options)
        return smaller, tflm.run(smaller, nothing)

    _, plain = allocated(split=False, plan=False)
    _, planned = allocated(split=False)
    file, run = allocated()
    return Footprint(
        network,
        size,
        side,
        classes,
        cost.mult_adds(graph.model),
        len(file),
        run.arena_bytes,
        run.persistent_bytes,
        planned.arena_bytes,
        plain.arena_bytes,
        activations.estimate_arena(graph.model).arena_bytes,
    )


def path(results: str | Path) -> Path:
    """The file of records in a folder of results."""
    return Path(results) / "microcontrollers" / "arenas.json"


def points() -> list[tuple[str, float, int, int]]:
    """Every network, side and number of classes that is measured."""
    networks = [("MobileNet", 0.25, 96, 2)]  # visual wake words
    networks += [("MobileNet", a, side, CLASSES) for a in ALPHAS for side in SIDES]
    return networks + [("SqueezeNet", 1.1, s, CLASSES) for s in SQUEEZENET_SIDES]


def measure_all(results: str | Path) -> None:
    """Measure the networks that have no record yet; each is written at once."""
    from mobilenet_tf.export import tflm

    file = path(results)
    measured = read(results) if file.exists() else []
    known = {(f.network, f.size, f.side, f.classes) for f in measured}
    file.parent.mkdir(parents=True, exist_ok=True)
    for point in points():
        if point in known:
            continue
        measured.append(measure(*point))
        keras.backend.clear_session()
        record = {
            "interpreter": tflm.version(),
            **provenance(),
            "networks": [dataclasses.asdict(footprint) for footprint in measured],
        }
        records.write(file, record)
        print(f"{measured[-1].label}: {measured[-1].arena_bytes:,}", flush=True)


def read(results: str | Path) -> list[Footprint]:
    """The records of a folder of results.

    Raises:
        ValueError: There are none, or the file is damaged.
    """
    file = path(results)
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        return [Footprint(**fields) for fields in record["networks"]]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"results must be a folder with microcontrollers/arenas.json, which "
            f"--measure writes; got {str(results)!r}: {error}"
        ) from error
