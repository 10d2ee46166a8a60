"""Updates from float32 to 8 bits of networks with published weights, untrained."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import keras
import numpy as np

from experiments.trials import published_weights
from experiments.trials.provenance import provenance
from experiments.updates import differences, forms
from mobilenet_tf import codec, export
from mobilenet_tf.data.dataset import DataSet

RECORDS = "requantization"  # see `differences`
CALIBRATION_IMAGES, VERIFICATION_IMAGES = 200, 50


def check(networks: Sequence[str]) -> dict[str, str]:
    """Files of weights by the names of networks.

    Args:
        networks: "NAME=FILE" for each, names as in `published_weights`.

    Raises:
        ValueError: One has another form, or its file does not exist.
    """
    result = {}
    for network in networks:
        name, _, file = network.partition("=")
        if not name.startswith(("mobilenet_", "squeezenet_")) or not file:
            raise ValueError(
                "requantize must be of mobilenet_ALPHA_SIDE=FILE and "
                f"squeezenet_1.0=FILE, got {network!r}"
            )
        if not Path(file).is_file():
            raise ValueError(f"requantize must name existing files, got {file!r}")
        result[name] = file
    return result


def measure_all(
    data: DataSet, weights: dict[str, str], results: str | Path, workdir: Path
) -> None:
    """Measure what has no record yet; each update is written at once.

    Args:
        data: Its images determine the ranges of int8.
        weights: Files by the names of networks, as `check` gives them.
        results: Folder of results.
        workdir: Folder for the files of networks.
    """
    workdir.mkdir(parents=True, exist_ok=True)
    done = differences.read(results, RECORDS)
    for name, file in weights.items():
        known = {record["file"] for record in done if record["network"] == name}
        model = None
        for kind in FILES:
            if kind in known:
                continue
            model = model or published_weights.build(name, file)
            origin = provenance()
            old, new = FILES[kind](model, data, workdir)
            done.append(
                {
                    "network": name,
                    "weights": Path(file).name,
                    "file": kind,
                    "float32_bytes": len(old),
                    "file_bytes": len(new),
                    "ways": differences.measure(old, new),
                    "data": data.metadata.to_json(),
                    **origin,
                }
            )
            differences.write(results, RECORDS, done)
            print(f"{name}, {kind}: measured", flush=True)


def _codec_files(model: keras.Model, data: DataSet, workdir: Path) -> Iterator[bytes]:
    del data
    for network in (model, forms.rounded_to_int8(model)):
        codec.save(network, workdir / "requantized.mntc")
        yield (workdir / "requantized.mntc").read_bytes()


def _litert_files(model: keras.Model, data: DataSet, workdir: Path) -> Iterator[bytes]:
    images = _images(data.evaluation, VERIFICATION_IMAGES)
    calibration = _images(data.train, CALIBRATION_IMAGES)
    for number, options in enumerate(
        ({}, {"quantization": "int8", "representative_images": calibration})
    ):
        folder = workdir / f"{model.name}-{number}"
        folder.mkdir(exist_ok=True)
        for file in folder.iterdir():  # an export replaces no file
            file.unlink()
        target = folder / "network.tflite"
        # Agreement is not what is measured here: the images are smaller than the input.
        export.litert(model, target, images=images, min_agreement=0, **options)
        yield target.read_bytes()


def _images(split, count):
    # Arrays keep the colours between rows and columns.
    return list(np.moveaxis(split.contents.images[:count], 2, 3))


FILES = {"codec": _codec_files, "LiteRT": _litert_files}
