"""Updates from float32 to 8 bits, without training."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import keras
import numpy as np

from experiments.sweep.workdir import Workdir
from experiments.trials import published_weights
from experiments.trials.provenance import provenance
from experiments.updates import differences, forms, networks
from mobilenet_tf import codec, export
from mobilenet_tf.data.dataset import DataSet

RECORDS = "requantization"  # see `differences`
CALIBRATION_IMAGES, VERIFICATION_IMAGES = 200, 50


# Where a network comes from: a file of published weights, or a training from scratch.
Source = str | networks.FieldNetwork


def check(names: Sequence[str], epochs: int | None) -> dict[str, Source]:
    """Networks by their names.

    Args:
        names: "NAME=FILE" with names as in `published_weights`; or the name alone of a
            network that is trained from scratch, as in `networks.parse`.
        epochs: Epochs of such a training; None means those of its recipe.

    Raises:
        ValueError: One has another form, or its file does not exist.
    """
    result: dict[str, Source] = {}
    for text in names:
        name, given, file = text.partition("=")
        if not given:
            result |= networks.parse([name], epochs, None)
            continue
        if not name.startswith(("mobilenet_", "squeezenet_")):
            raise ValueError(
                "requantize must be of mobilenet_ALPHA_SIDE=FILE, squeezenet_1.0=FILE "
                f"and mobilenet_ALPHA, got {text!r}"
            )
        if not Path(file).is_file():
            raise ValueError(f"requantize must name existing files, got {file!r}")
        result[name] = file
    return result


def measure_all(
    data: DataSet, sources: dict[str, Source], results: str | Path, path: Path
) -> None:
    """Measure what has no record yet; each update is written at once.

    Args:
        data: Its images determine the ranges of int8.
        sources: The networks by their names, as `check` gives them.
        results: Folder of results.
        path: The working directory.
    """
    workdir, folder = Workdir(path), path / "over_the_air"
    folder.mkdir(parents=True, exist_ok=True)
    done = differences.read(results, RECORDS)
    for name, source in sources.items():
        known = {record["file"] for record in done if record["network"] == name}
        model = None
        for kind in FILES:
            if kind in known:
                continue
            model = model or _model(name, source, data, workdir)
            origin = provenance()
            old, new = FILES[kind](model, data, folder)
            done.append(
                {
                    "network": name,
                    **_described(source, data),
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


def _model(name, source, data, workdir) -> keras.Model:
    if isinstance(source, networks.FieldNetwork):
        return source.trained(data, workdir)
    return published_weights.build(name, source)


def _described(source, data):
    """What a record says of a network's weights."""
    if isinstance(source, networks.FieldNetwork):
        return {"trained": source.trial(data).config}
    return {"weights": Path(source).name}


def _codec_files(model: keras.Model, data: DataSet, folder: Path) -> Iterator[bytes]:
    del data
    for network in (model, forms.rounded_to_int8(model)):
        codec.save(network, folder / "requantized.mntc")
        yield (folder / "requantized.mntc").read_bytes()


def _litert_files(model: keras.Model, data: DataSet, folder: Path) -> Iterator[bytes]:
    images = _images(data.evaluation, VERIFICATION_IMAGES)
    calibration = _images(data.train, CALIBRATION_IMAGES)
    for number, options in enumerate(
        ({}, {"quantization": "int8", "representative_images": calibration})
    ):
        own = folder / f"{model.name}-{number}"
        own.mkdir(exist_ok=True)
        for file in own.iterdir():  # an export replaces no file
            file.unlink()
        target = own / "network.tflite"
        # Agreement is not what is measured here: the images are smaller than the input.
        export.litert(model, target, images=images, min_agreement=0, **options)
        yield target.read_bytes()


def _images(split, count):
    # Arrays keep the colours between rows and columns.
    return list(np.moveaxis(split.contents.images[:count], 2, 3))


FILES = {"codec": _codec_files, "LiteRT": _litert_files}
