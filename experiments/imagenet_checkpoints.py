"""Published ImageNet weights, checked on photographs, beside TF-Slim's own table.

    python -m experiments.imagenet_checkpoints --dataset=imagenet2012 --data_dir=DIR

Source: TF-Slim's mobilenet_v1.md of 2018-08-02; arXiv 1602.07360, Table 2. The 16
MobileNets of `keras.applications`, which it downloads, on the 50,000 validation images.
`--image_dir=DIR` takes a folder of folders named by WordNet id instead, and
`--checkpoints=0.25_128,0.5_160` some of the 16.

With weights from files:

    python -m experiments.imagenet_checkpoints --dataset=imagenette112 --data_dir=DIR \
        --mobilenet_weights=mobilenet_0.25_128_keras_applications.weights.h5 \
        --squeezenet_weights=squeezenet_v1.0_deep_compression.net

evaluates MobileNet at alpha 0.25, 128 px, and the authors' compressed SqueezeNet on the
photographs of a data set that are of ImageNet's validation set, over all 1000 classes.
`--order`, `--central_fraction` and `--interpolation` set the preprocessing; the
defaults are TF-Slim's. An evaluation that has a record is not repeated.
Time: minutes on 2 CPU cores for 500 photographs.
"""

import dataclasses
import hashlib
import time
from pathlib import Path

from absl import flags

from experiments.harness import Config, Table, run
from experiments.harness.page import Part
from experiments.published.checkpoints import SQUEEZENET_COMPRESSED, TF_SLIM
from experiments.report.sheet import Sheet
from experiments.trials import records
from experiments.trials.provenance import provenance
from experiments.trials.published_weights import build
from mobilenet_tf.analysis import table
from mobilenet_tf.models import weight_loading
from mobilenet_tf.models.imagenet import PAIRS

ALL = [f"{alpha:g}_{side}" for alpha, side in PAIRS]
flags.DEFINE_list(
    "checkpoints", [], "MobileNets to evaluate, as ALPHA_SIDE,... Default: all 16."
)
flags.DEFINE_string("image_dir", None, "Photographs, in a folder for each WordNet id.")
flags.DEFINE_string(
    "order", "crop_then_resize", "Preprocessing: crop_then_resize or resize_then_crop."
)
flags.DEFINE_float(
    "central_fraction", 0.875, "Share of height and width that the central crop keeps."
)
flags.DEFINE_string(
    "interpolation",
    "bilinear",
    "Method of resizing: bilinear, antialiased, bicubic and others.",
)


@dataclasses.dataclass(frozen=True)
class CheckpointConfig(Config):
    """The configuration with the flags of this script."""

    checkpoints: tuple[str, ...] = ()
    image_dir: str | None = None
    order: str = "crop_then_resize"
    central_fraction: float = 0.875
    interpolation: str = "bilinear"


def chosen(config: CheckpointConfig) -> dict[str, str]:
    """Networks to evaluate, by name, and their weights.

    Raises:
        ValueError: `checkpoints` names a network that is not published, or would be
            ignored beside files of weights.
    """
    files = {}
    weight_loading.check(config.mobilenet_file)
    weight_loading.check(config.squeezenet_weights, (".net",))
    if config.mobilenet_file:
        files["mobilenet_0.25_128"] = config.mobilenet_file
    if config.squeezenet_weights:
        files["squeezenet_1.0"] = config.squeezenet_weights
    if files and config.checkpoints:
        raise ValueError(
            "choose either checkpoints= or mobilenet_weights= and squeezenet_weights="
        )
    if files:
        return files
    unknown = sorted(set(config.checkpoints) - set(ALL))
    if unknown:
        raise ValueError(
            f"checkpoints must be of {', '.join(ALL)}; got {', '.join(unknown)}"
        )
    return {f"mobilenet_{pair}": "imagenet" for pair in config.checkpoints or ALL}


def evaluate(name: str, weights: str, folder: Path, config: CheckpointConfig) -> None:
    """Evaluate one network and write its record, unless there is one."""
    from mobilenet_tf.data import imagenet_photographs
    from mobilenet_tf.data.preprocessing import Preprocessing

    preprocessing = Preprocessing(
        config.order, config.central_fraction, config.interpolation
    )
    source = config.image_dir or config.dataset
    parts = (name, Path(source).name, str(preprocessing).replace(", ", "-"))
    key = "checkpoint-" + "-".join(parts).replace(" ", "_")
    key += _digest(weights, config.image_dir)
    target = folder / f"{key}.json"
    if target.exists():
        return
    if config.image_dir:
        images = imagenet_photographs.from_folder(config.image_dir)
    else:
        images = imagenet_photographs.from_tfds(config.dataset, config.data_dir)
    metrics = measure(build(name, weights), images, preprocessing)
    record = {
        "key": key,
        "checkpoint": name,
        "weights": Path(weights).name,
        "data": images.name,
        "preprocessing": dataclasses.asdict(preprocessing),
        "preprocessing_text": str(preprocessing),
        "metrics": metrics,
        **provenance(),
    }
    records.write(target, record)
    print(f"{name}: top-1 {100 * metrics['top1']:.1f} %, {preprocessing}", flush=True)


def measure(model, images, preprocessing) -> dict[str, float]:
    """Accuracy on photographs, decoding and preprocessing included in the speed.

    Raises:
        ValueError: There are no photographs, or a score is not finite.
    """
    import tensorflow as tf

    from mobilenet_tf.training.evaluation import evaluate_batches

    side = model.input_shape[1]
    batches = images.images.map(
        lambda image, label: (preprocessing.apply(image, side), label),
        tf.data.AUTOTUNE,
    )
    started = time.perf_counter()
    result = evaluate_batches(model, batches.batch(64).prefetch(2))
    seconds = time.perf_counter() - started
    return {
        **result.as_dict(),
        "images": result.images,
        "images_per_second": round(result.images / seconds, 1),
    }


def _digest(weights, image_dir):
    """Distinguishes files of weights and folders; empty for published weights."""
    parts = [] if weights == "imagenet" else [Path(weights).read_bytes()]
    if image_dir:
        parts.append(str(Path(image_dir).resolve()).encode())
    return "-" + hashlib.sha256(b"".join(parts)).hexdigest()[:10] if parts else ""


def content(config: CheckpointConfig) -> list[Part]:
    """Evaluate the chosen networks, and show all records."""
    if config.limit is not None:
        raise ValueError("limit must not be given: all photographs are evaluated")
    folder = Path(config.workdir) / "checkpoints"
    if not config.render and not config.dry_run:
        for name, weights in chosen(config).items():
            evaluate(name, weights, folder, config)
    locations = [folder]
    if config.render:
        locations.append(Path(config.results) / "checkpoints.jsonl")
    evaluated = sorted(records.read(*locations), key=lambda record: record["key"])
    columns = (
        "Checkpoint",
        *("Published top-1 %", "Published top-5 %"),
        *("Published top-1 %, quantised", "Published top-5 %, quantised"),
    )
    ours = (
        *("Preprocessing", "Images"),
        *("Top-1 %", "Top-1 95 % interval", "Top-5 %", "Top-5 95 % interval"),
    )
    rows = [_row(record) for record in evaluated]
    measured = {record["checkpoint"] for record in evaluated}
    for pair in ALL:
        if f"mobilenet_{pair}" not in measured:
            cells = _published(f"mobilenet_{pair}")
            rows.append((*cells, *["–"] * (len(ours) + 1)))
    return [Sheet((*columns, *ours, "Images/s"), rows)]


def _published(name):
    if name.startswith("squeezenet"):
        printed = (None, None, *SQUEEZENET_COMPRESSED)
    else:
        _, alpha, side = name.split("_")
        printed = TF_SLIM[float(alpha), int(side)]
    return [name.replace("_", " "), *map(table.points, printed)]


def _row(record):
    metrics = record["metrics"]
    cells = _published(record["checkpoint"])
    cells += [record["preprocessing_text"], f"{metrics['images']:,}"]
    for metric in ("top1", "top5"):
        low, high = table.interval(metrics[metric], metrics["images"])
        cells.append(table.percent(metrics[metric]))
        cells.append(f"{table.percent(low)} – {table.percent(high)}")
    return (*cells, f"{metrics['images_per_second']:,.0f}")


experiment = Table(
    name="imagenet_checkpoints",
    title="Published weights on ImageNet validation photographs, 1000 classes",
    content=content,
    config=CheckpointConfig,
    remark="Published: on all 50,000 images at full size. The compressed SqueezeNet, "
    "and the file of MobileNet 0.25 128 that was evaluated, are quantised: compare "
    "those columns. 95 % intervals: Wilson's confidence intervals for this number of "
    "images. The result of each is that of `crop then resize`, central 0.875, "
    "bilinear, the default; the others show what preprocessing changes. The 500 "
    "photographs in `imagenette112` are of 10 classes and have 112 px, so that detail "
    "is lost.",
)

if __name__ == "__main__":
    run(experiment)
