"""Fine-tuning on few photographs: the recipe `fine_tune` beside Keras' own ways.

    python -m benchmarks.fine_tuning --data_dir=DIR --workdir=DIR \
        --weights=mobilenet_0.25_128_keras_applications.weights.h5

Every way trains the same published weights on the same images for as many epochs, in
batches of as many images. Accuracy is that of the whole validation split. The recipe
was chosen on ten classes of `tinyimagenet100`, and is judged on another data set.
Results are kept in --workdir, and the same command goes on where it was stopped.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import keras
from absl import app, flags

from benchmarks.fine_tuning_ways import WAYS, Task, top1
from benchmarks.report import publish
from mobilenet_tf import files
from mobilenet_tf.analysis import table
from mobilenet_tf.data import DataSet, from_tfds
from mobilenet_tf.data.subset import few_of_each_class
from mobilenet_tf.training.recipes import FINE_TUNE

flags.DEFINE_list(
    "weights",
    None,
    "Files of keras.applications, named by alpha and side.",
    required=True,
)
flags.DEFINE_string("dataset", "imagenette112", "TFDS data set.")
flags.DEFINE_string("data_dir", None, "Folder of the data set.")
flags.DEFINE_string("workdir", None, "Folder for the results.", required=True)
flags.DEFINE_list("images_per_class", ["10", "50", "200"], "Training images.")
flags.DEFINE_integer("epochs", FINE_TUNE.epochs, "Of every way.", 3)
flags.DEFINE_integer("seeds", 3, "Of images, initial classifier and order.", 1)


def tasks(
    files: Sequence[str], images_per_class: Sequence[str], seeds: int, epochs: int
) -> list[Task]:
    """Those that the flags describe, the smallest first."""
    chosen = []
    for per_class in sorted(map(int, images_per_class)):
        for weights in files:
            match = re.search(r"mobilenet_([\d.]+)_(\d+)_", Path(weights).name)
            if match is None:
                raise ValueError(
                    "the name of a weights file must be mobilenet_ALPHA_SIDE_..., got "
                    f"{weights!r}"
                )
            network = float(match[1]), int(match[2])
            for seed in range(seeds):
                chosen.append(Task(weights, *network, per_class, seed, epochs))
    return chosen


def measured(task: Task, way: str, data: DataSet, workdir: Path) -> float:
    """The accuracy, from its file in the working directory, or measured now."""
    name = (
        f"{way}-{task.alpha:g}-{task.side}-{data.metadata.name}-{task.per_class}"
        f"-epochs{task.epochs}-seed{task.seed}"
    )
    path = workdir / f"{re.sub('[^a-z0-9.]+', '_', name.lower())}.json"
    if not path.exists():
        keras.utils.clear_session()
        few = few_of_each_class(data, task.per_class, task.seed)
        accuracy = top1(WAYS[way](task, few), task, few, way)
        print(f"{name}: {100 * accuracy:.2f} %", flush=True)
        files.write(path, json.dumps({"top1": accuracy}))
    return json.loads(path.read_text())["top1"]


def main(_):
    values = flags.FLAGS
    chosen = tasks(values.weights, values.images_per_class, values.seeds, values.epochs)
    workdir = Path(values.workdir)
    workdir.mkdir(parents=True, exist_ok=True)
    side = max(task.side for task in chosen)
    data = from_tfds(
        values.dataset, values.data_dir, base_resolution=side, mode="arrays"
    )
    cells: dict[tuple, dict[str, list[float]]] = {}
    for task in chosen:
        row = cells.setdefault((task.alpha, task.side, task.per_class), {})
        for way in WAYS:
            row.setdefault(way, []).append(measured(task, way, data, workdir))
    rows = []
    for (alpha, side, per_class), row in sorted(cells.items()):
        means = {way: table.mean(values) for way, values in row.items()}
        best_other = max(mean for way, mean in means.items() if way != "fine_tune")
        rows.append(
            (
                f"{alpha:g} MobileNet-{side}, {per_class} a class",
                *(cell(values) for values in row.values()),
                f"{100 * (means['fine_tune'] - best_other):+.1f}",
            )
        )
    columns = ("top-1 %", *WAYS, "fine_tune over the best other")
    note = (
        f"{data.metadata.name} {data.metadata.version}, {data.classes} classes, "
        f"{data.evaluation.size:,} validation images; {values.epochs} epochs in "
        f"batches of {FINE_TUNE.batch_size}; {_seeds(values.seeds)}. The recipe was "
        "chosen on ten classes of tinyimagenet100."
    )
    text = f"{table.render(columns, rows)}\n\n{note}"
    publish("fine_tuning", text, values.documents)


def _seeds(count):
    return (
        f"mean and standard deviation over {count} seeds" if count > 1 else "one seed"
    )


def cell(values: list[float]) -> str:
    """Mean and standard deviation in percent."""
    text = table.percent(table.mean(values))
    spread = table.spread(values)
    return text if spread is None else f"{text} ± {100 * spread:.1f}"


if __name__ == "__main__":
    app.run(main)
