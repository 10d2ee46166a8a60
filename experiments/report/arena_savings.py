"""What each way to a smaller arena saves, measured one on top of the other."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np

from experiments.report.arenas import CLASSES, convertible
from experiments.report.sheet import Sheet
from experiments.trials import records
from experiments.trials.provenance import provenance

# Network, size, side and classes; the first is visual wake words.
POINTS = (
    ("MobileNet", 0.25, 96, 2),
    ("MobileNet", 0.5, 128, CLASSES),
    ("SqueezeNet", 1.1, 96, CLASSES),
)
CONVERTED = "As converted, uint8 images"
STEPS = (
    CONVERTED,
    "Folded: int8 images, constant shapes",
    "Placed by a plan",
    "Reshaped in place",
    "Wide layers in parts",
    "Softmax left out",
)


def measure(network: str, size: float, side: int, classes: int) -> dict[str, int]:
    """Arena in bytes after each of `STEPS`.

    All but the last give the same integers, which is checked on random images.

    Args:
        network: "MobileNet" or "SqueezeNet".
        size: Alpha, or the version.
        side: Of the input, in pixels.
        classes: Of the classifier.

    Raises:
        ImportError: tflite-micro is not installed.
    """
    from mobilenet_tf.export import tflm
    from mobilenet_tf.export.tflite import micro
    from mobilenet_tf.export.tflite.flatbuffer import File

    graph, calibration = convertible(network, size, side, classes)
    converted = micro.plain_file(graph, calibration, fold=False)
    folded = micro.plain_file(graph, calibration).content()
    inputs = np.random.default_rng(0).integers(-128, 128, (2, side, side, 3), "int8")

    def run(**options):
        return tflm.run(micro.use_less_memory(File(folded), **options), inputs)

    runs = [
        run(split=False, plan=False),
        run(split=False, in_place=False),
        run(split=False),
        run(),
    ]
    for other in runs[1:]:
        np.testing.assert_array_equal(runs[0].outputs, other.outputs)
    logits = micro.plain_file(graph.with_logits(), calibration)
    runs = [
        tflm.run(converted.packed(), inputs[:0]),
        *runs,
        tflm.run(micro.use_less_memory(logits), inputs[:0]),
    ]
    arenas = (result.arena_bytes for result in runs)
    return dict(zip(STEPS, arenas, strict=True))


def path(results: str | Path) -> Path:
    """The file of records in a folder of results."""
    return Path(results) / "microcontrollers" / "savings.json"


def measure_all(results: str | Path) -> None:
    """Measure `POINTS`, unless there is a record of them."""
    from mobilenet_tf.export import tflm

    if path(results).exists():
        return
    networks = []
    for network, size, side, classes in POINTS:
        steps = measure(network, size, side, classes)
        keras.backend.clear_session()
        label = f"{size:g} {network}, {side} px"
        networks.append({"label": label, "classes": classes, "arena_bytes": steps})
        print(f"{label}: {steps}", flush=True)
    record = {"interpreter": tflm.version(), **provenance(), "networks": networks}
    records.write(path(results), record)


def savings(results: str | Path) -> Sheet:
    """The table of the records.

    Raises:
        ValueError: There are none, or the file is damaged.
    """
    file = path(results)
    try:
        networks = json.loads(file.read_text(encoding="utf-8"))["networks"]
        names = [
            f"{network['label']}, {network['classes']} classes" for network in networks
        ]
        arenas = [network["arena_bytes"] for network in networks]
        rows = [
            (
                step,
                *(
                    cell
                    for arena in arenas
                    for cell in (f"{arena[step]:,}", _saved(arena, place))
                ),
            )
            for place, step in enumerate(STEPS)
        ]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"results must be a folder with microcontrollers/savings.json, which "
            f"--measure writes; got {str(results)!r}: {error}"
        ) from error
    columns = [cell for name in names for cell in (name, "saved")]
    return Sheet(("Arena, bytes", *columns), rows, "savings")


def _saved(arena, place):
    """What a step saves, in bytes."""
    if place == 0:
        return "–"
    return f"{arena[STEPS[place - 1]] - arena[STEPS[place]]:,}"
