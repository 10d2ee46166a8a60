"""Updates from float32 to 8 bits, without training."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import keras

from experiments.sweep.workdir import Workdir
from experiments.trials import published_weights
from experiments.trials.provenance import provenance
from experiments.updates import differences, forms, networks
from experiments.updates.examples import Examples
from mobilenet_tf import codec, export
from mobilenet_tf.data.dataset import DataSet

RECORDS = "requantization"  # see `differences`
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
    data: DataSet,
    photographs: Examples | None,
    sources: dict[str, Source],
    results: str | Path,
    path: Path,
) -> None:
    """Measure what has no record yet; each update is written at once.

    Args:
        data: What networks are trained from scratch on, calibrated and evaluated.
        photographs: What published weights are calibrated and evaluated on; needed
            where there are any.
        sources: The networks by their names, as `check` gives them.
        results: Folder of results.
        path: The working directory.
    """
    workdir, folder = Workdir(path), path / "over_the_air"
    folder.mkdir(parents=True, exist_ok=True)
    done = differences.read(results, RECORDS)
    for name, source in sources.items():
        known = {record["file"] for record in done if record["network"] == name}
        examples = photographs if isinstance(source, str) else Examples.of_data(data)
        model = None
        for kind in FILES:
            if kind in known:
                continue
            model = model or _model(name, source, data, workdir)
            origin = provenance()
            (old, top1_before), (new, top1) = FILES[kind](model, examples, folder)
            done.append(
                {
                    "network": name,
                    **_described(source, data),
                    "file": kind,
                    "top1_before": top1_before,
                    "top1": top1,
                    "float32_bytes": len(old),
                    "file_bytes": len(new),
                    "ways": differences.measure(old, new),
                    "data": examples.description,
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


def _codec_files(
    model: keras.Model, examples: Examples, folder: Path
) -> Iterator[tuple[bytes, float]]:
    for network in (model, forms.rounded_to_int8(model)):
        codec.save(network, folder / "requantized.mntc")
        yield (folder / "requantized.mntc").read_bytes(), examples.top1(network)


def _litert_files(
    model: keras.Model, examples: Examples, folder: Path
) -> Iterator[tuple[bytes, float]]:
    representatives = {"representative_images": examples.calibration}
    for number, options in enumerate(({}, {"quantization": "int8", **representatives})):
        own = folder / f"{model.name}-{number}"
        own.mkdir(exist_ok=True)
        for file in own.iterdir():  # an export replaces no file
            file.unlink()
        target = own / "network.tflite"
        report = export.litert(
            model,
            target,
            images=examples.images,
            classes=examples.classes,
            min_agreement=0,  # accuracy is what is measured, and may be low
            **options,
        )
        yield target.read_bytes(), report.file_accuracy


# Of each format the files before and after the update, with their top-1.
FILES = {"codec": _codec_files, "LiteRT": _litert_files}
