"""Speed of the input pipeline, and its share of an epoch's time.

    python -m benchmarks.input_pipeline --dataset=imagenette112 --data_dir=DIR

Three trainings by `fit` are interleaved: on fresh batches from the pipeline, on one
stored batch again and again, and on one batch that is already cropped. The share of the
input is what the first takes longer than the last; `crop` is the part of it that is
spent in the training step itself.
"""

import statistics
import time

import keras
from absl import app, flags, logging

import mobilenet_tf
from benchmarks.report import publish
from mobilenet_tf.analysis import table
from mobilenet_tf.data.batches import training_batches
from mobilenet_tf.data.storage import MODES
from mobilenet_tf.data.tfds_source import from_tfds
from mobilenet_tf.training.classifier import compile_for_training
from mobilenet_tf.training.clone import training_clone, without_crop
from mobilenet_tf.training.cropping import CropResize
from mobilenet_tf.training.recipes import MODERN

flags.DEFINE_string("dataset", "vignettes", "TFDS data set.")
flags.DEFINE_string("data_dir", None, "Directory of TFDS data sets.")
flags.DEFINE_enum("data_mode", "auto", MODES, "Decode once, or in every epoch.")
flags.DEFINE_integer("rounds", 7, "Rounds that count.", 1)

NETWORKS = ((1.0, 112, 16), (0.25, 64, 64))  # alpha, side in pixels, steps in a round


def main(_):
    values = flags.FLAGS
    logging.set_verbosity(logging.WARNING)
    data = from_tfds(values.dataset, values.data_dir, mode=values.data_mode)
    rows = [
        _row(data, alpha, side, steps, values.rounds)
        for alpha, side, steps in NETWORKS
        if side <= data.metadata.base_resolution
    ]
    columns = (
        "network",
        "input, images/s",
        "training, images/s",
        "input share",
        "crop",
    )
    publish("input_pipeline", table.render(columns, rows), values.documents)


def _row(data, alpha, side, steps, rounds):
    model = mobilenet_tf.build(alpha, classes=data.classes, base_resolution=side)
    clone = training_clone(model, data.side)
    compile_for_training(clone, MODERN, steps)
    bare = without_crop(clone)
    compile_for_training(bare, MODERN, steps)
    batches = training_batches(
        data.train, data.classes, MODERN.batch_size, 0, 0, MODERN.augmentation
    )
    ready = next(batches)
    cropped = (CropResize(side)(list(ready[0])), ready[1])

    sources = {
        "fresh": (clone, batches),
        "ready": (clone, _forever(ready)),
        "cropped": (bare, _forever(cropped)),
    }
    seconds = _interleaved(sources, steps, rounds)
    start = time.perf_counter()
    for _ in range(steps):
        next(batches)
    alone = time.perf_counter() - start
    images = steps * MODERN.batch_size
    return (
        f"alpha {alpha:g}, {side} px",
        f"{images / alone:,.0f}",
        f"{images / seconds['fresh']:,.0f}",
        f"{100 * (1 - seconds['cropped'] / seconds['fresh']):.1f} %",
        f"{100 * (1 - seconds['cropped'] / seconds['ready']):.1f} %",
    )


def _interleaved(sources, steps, rounds):
    """Median seconds for so many steps of each source, from within `fit`."""
    times = {name: [] for name in sources}
    for _ in range(1 + rounds):
        for name, (model, batches) in sources.items():
            watch = _Stopwatch()
            model.fit(
                batches,
                steps_per_epoch=steps + 1,
                verbose=0,
                shuffle=False,
                callbacks=[watch],
            )
            times[name].append(watch.seconds)
    # The first round compiles.
    return {name: statistics.median(values[1:]) for name, values in times.items()}


def _forever(batch):
    while True:
        yield batch


class _Stopwatch(keras.callbacks.Callback):
    """Seconds from the end of the first step to the end of the last one.

    Starting and ending `fit` costs a second or two, which an epoch of real length does
    not notice.
    """

    def on_train_begin(self, logs=None):
        self.first = None

    def on_train_batch_end(self, batch, logs=None):
        now = time.perf_counter()
        self.first = self.first or now
        self.seconds = now - self.first


if __name__ == "__main__":
    app.run(main)
