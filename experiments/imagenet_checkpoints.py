"""Published ImageNet weights on real ImageNet validation photographs.

    python -m experiments.imagenet_checkpoints --dataset=imagenette112 --data_dir=DIR \
        --squeezenet_weights=squeezenet_v1.0_deep_compression.net \
        --mobilenet_weights=mobilenet_0.25_128_keras_applications.weights.h5

evaluates the authors' compressed SqueezeNet and MobileNet at alpha 0.25, 128 px, over
all 1000 classes, on those photographs of a data set that are of ImageNet's validation
set. Seconds on any machine; `--render` prints the table from the records.

Source: arXiv 1602.07360, Table 2; the list of checkpoints in TF-Slim's mobilenet_v1.md.
"""

import functools
from collections.abc import Callable
from pathlib import Path

import keras

import mobilenet_tf
from mobilenet_tf.data.photographs import validation_photographs
from mobilenet_tf.experiment import Table
from mobilenet_tf.experiment.flags import FLAGS
from mobilenet_tf.reporting import records, table
from mobilenet_tf.reporting.published.checkpoints import SQUEEZENET_COMPRESSED, TF_SLIM
from mobilenet_tf.training import loop

CENTRAL_FRACTION = 0.875
# What its flag begins with: label, builder, published top-1 and top-5 in percent.
CHECKPOINTS: dict[str, tuple[str, Callable[..., keras.Model], float, float]] = {
    "squeezenet": (
        "SqueezeNet 1.0, Deep Compression",
        mobilenet_tf.build_squeezenet,
        *SQUEEZENET_COMPRESSED,
    ),
    "mobilenet": (
        "0.25 MobileNet-128, quantised release",
        functools.partial(mobilenet_tf.build, 0.25, base_resolution=128),
        *TF_SLIM[0.25, 128][2:],
    ),
}


def evaluate(name: str, path: Path, folder: Path) -> None:
    """Evaluate a checkpoint and write its record; one that is written stays."""
    _, build, *_ = CHECKPOINTS[name]
    key = f"checkpoint-{name}-{FLAGS.dataset}-{path.name}"
    target = folder / f"{key}.json"
    if target.exists():
        return
    model = build(weights=path)
    photographs = validation_photographs(FLAGS.dataset, FLAGS.data_dir)
    side = photographs.contents.images.shape[1]
    metrics = loop.evaluate(model, photographs, side, CENTRAL_FRACTION)
    record = {
        "key": key,
        "checkpoint": name,
        "weights": path.name,
        "data": {
            "name": FLAGS.dataset,
            "images": photographs.size,
            "side": side,
            "central_fraction": CENTRAL_FRACTION,
            "input_side": model.input_shape[1],
        },
        "metrics": metrics,
        **records.provenance(),
    }
    records.write(target, record)


def content() -> str:
    """Evaluate what is given, and show all records that there are."""
    folder = Path(FLAGS.workdir) / "checkpoints"
    given = {name: getattr(FLAGS, f"{name}_weights") for name in CHECKPOINTS}
    for name, path in given.items():
        if path and not FLAGS.render:
            evaluate(name, Path(path), folder)
    places = [folder]
    if FLAGS.render:
        places.append(Path(FLAGS.results) / "checkpoints.jsonl")
    rows = [
        _row(record)
        for record in records.read(*places)
        if record["data"]["name"] == FLAGS.dataset
    ]
    columns = ("Checkpoint", "Published top-1 %", "top-5 %", "Input", "Images")
    ours = ("Top-1 %", "95 % interval", "Top-5 %", "95 % interval ")
    return table.render((*columns, *ours), rows)


def _row(record):
    label, _, top1, top5 = CHECKPOINTS[record["checkpoint"]]
    data, metrics = record["data"], record["metrics"]
    cells = [label, f"{top1:.1f}", f"{top5:.1f}", f"{data['input_side']} px"]
    cells.append(f"{data['images']}")
    for metric in ("top1", "top5"):
        low, high = table.interval(metrics[metric], data["images"])
        cells.append(table.percent(metrics[metric]))
        cells.append(f"{table.percent(low)} to {table.percent(high)}")
    return tuple(cells)


experiment = Table(
    name="imagenet_checkpoints",
    title="Published weights on ImageNet validation photographs, 1000 classes",
    content=content,
    remark="Published: on all 50,000 images at full size. Ours: those of them that are "
    "in the data set, at the size that they have there, central 87.5 %, scaled to the "
    "network's input. Small photographs have lost detail, and a few classes are not "
    "all, so that the columns are not compared.",
)

if __name__ == "__main__":
    experiment()
