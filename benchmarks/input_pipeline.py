"""How fast the input is, and what share of an epoch's time it costs.

    python -m benchmarks.input_pipeline --dataset=imagenette112 --data_dir=DIR

The share is measured on the whole training step: the same compiled step is run on fresh
batches from the pipeline and, interleaved, on one batch that is already there. Both
include the crop, which is part of the step; `crop` says how much of a step that is.
"""

import statistics
import time

import keras
from absl import app, flags, logging

import mobilenet_tf
from mobilenet_tf.data.batches import training_batches
from mobilenet_tf.data.dataset import MODES, load
from mobilenet_tf.reporting import table
from mobilenet_tf.reporting.records import device_name
from mobilenet_tf.training.clone import training_clone
from mobilenet_tf.training.loop import compile_for_training
from mobilenet_tf.training.recipes import MODERN

flags.DEFINE_string("dataset", "vignettes", "TFDS data set.")
flags.DEFINE_string("data_dir", None, "Directory of TFDS data sets.")
flags.DEFINE_enum("data_mode", "auto", MODES, "Decode once, or in every epoch.")
flags.DEFINE_integer("rounds", 7, "Rounds that count.", 1)
FLAGS = flags.FLAGS

POINTS = ((1.0, 112), (0.25, 64))


def main(_):
    logging.set_verbosity(logging.WARNING)
    data = load(FLAGS.dataset, FLAGS.data_dir, mode=FLAGS.data_mode)
    print(device_name())
    rows = [
        _row(data, alpha, side)
        for alpha, side in POINTS
        if side <= data.facts["base_resolution"]
    ]
    columns = (
        "network",
        "input, images/s",
        "training, images/s",
        "input share",
        "crop",
    )
    print("\n" + table.render(columns, rows))


def _row(data, alpha, side):
    steps = max(4, 4096 // MODERN.batch_size // (4 if alpha == 1 else 1))
    model = mobilenet_tf.build(alpha, classes=data.classes, base_resolution=side)
    clone = training_clone(model, data.side)
    compile_for_training(clone, MODERN, steps)
    body = clone.layers[-1]
    bare = keras.Model(body.inputs, body.outputs)
    compile_for_training(bare, MODERN, steps)
    batches = training_batches(
        data.train, data.classes, MODERN.batch_size, 0, 0, min_area=MODERN.min_area
    )
    ready = next(batches)
    cropped = (clone.get_layer("crop")(ready[0]), ready[1])

    def alone():
        for _ in range(steps):
            next(batches)

    # `fit` as the training loop calls it, so that its prefetching takes part.
    def fit(model, source):
        model.fit(source, steps_per_epoch=steps, epochs=1, verbose=0, shuffle=False)

    def forever(batch):
        while True:
            yield batch

    runs = {
        "alone": alone,
        "fresh": lambda: fit(clone, batches),
        "ready": lambda: fit(clone, forever(ready)),
        "cropped": lambda: fit(bare, forever(cropped)),
    }
    for run in runs.values():
        run()
    times = {name: [] for name in runs}
    for _ in range(FLAGS.rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    seconds = {name: statistics.median(values) for name, values in times.items()}
    images = steps * MODERN.batch_size
    crop = 1 - seconds["cropped"] / seconds["ready"]
    share = 1 - seconds["cropped"] / seconds["fresh"]
    return (
        f"alpha {alpha:g}, {side} px",
        f"{images / seconds['alone']:,.0f}",
        f"{images / seconds['fresh']:,.0f}",
        f"{100 * share:.1f} %",
        f"{100 * crop:.1f} %",
    )


if __name__ == "__main__":
    app.run(main)
