"""Savings of removed channels: mult-adds, bytes, and time per image.

    python -m benchmarks.fewer_channels

MobileNet with fewer channels in every layer, one image at a time on one thread; and
with its smallest weights set to zero instead, which makes files of the codec smaller
but nothing faster. Weights are random, which changes no time. Rounds are interleaved.
"""

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags, logging

import mobilenet_tf
from benchmarks.latency import float_file, litert, measure, our_int8
from benchmarks.report import publish
from mobilenet_tf import codec
from mobilenet_tf.analysis import cost, table
from mobilenet_tf.compression import kernels, remove_channels

FRACTIONS = (0.25, 0.5, 0.75)
flags.DEFINE_float("alpha", 1.0, "Width multiplier of the network that is changed.")
flags.DEFINE_integer("side", 224, "Input side in pixels.", 32)


def zeroed(model: keras.Model, fraction: float) -> keras.Model:
    """A copy without the smallest weights of each kernel, depthwise ones aside."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    chosen, _ = kernels.chosen(copy, depthwise=False, skip=())
    pruned = {
        name: np.where(abs(kernel) < np.quantile(abs(kernel), fraction), 0, kernel)
        for name, kernel in chosen.items()
    }
    kernels.replace(copy, pruned)
    return copy


def networks(alpha: float, side: int) -> dict[str, keras.Model]:
    """The network, narrower ones, and one with zeros."""
    model = mobilenet_tf.build(alpha, base_resolution=side)
    narrow = {
        f"{100 * fraction:g} % fewer channels": remove_channels(
            model, fraction=fraction, report=lambda report: None
        )
        for fraction in FRACTIONS
    }
    return {"all channels": model, **narrow, "75 % zeros": zeroed(model, 0.75)}


def main(_):
    values = flags.FLAGS
    logging.set_verbosity(logging.WARNING)  # TensorFlow reports every file
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    models = networks(values.alpha, values.side)
    kinds = {"float32": float_file, "int8": lambda model: our_int8(model, values.lanes)}
    files = {
        (name, kind): write(model)
        for name, model in models.items()
        for kind, write in kinds.items()
    }
    runs = {key: litert(content) for key, content in files.items()}
    times = measure(runs, values.rounds, values.runs)
    rows = []
    for name, model in models.items():
        coded = len(codec.encode(model)) / 1e3
        row = [name, f"{cost.mult_adds(model) / 1e6:,.1f}", f"{coded:,.0f}"]
        for kind in kinds:
            ms = np.median(times[name, kind])
            first = np.median(times["all channels", kind])
            size = len(files[name, kind]) / 1e3
            row += [f"{size:,.0f}", f"{ms:.2f}", f"{ms / first:.2f}"]
        rows.append(row)
    columns = [f"{kind} {what}" for kind in kinds for what in ("kB", "ms", "of all")]
    title = f"{values.alpha:g} MobileNet-{values.side}"
    setting = "Times are of LiteRT files, one image on one thread; medians."
    result = table.render((title, "M mult-adds", "codec kB", *columns), rows)
    publish("fewer_channels", f"{result}\n\n{setting}", values.documents)


if __name__ == "__main__":
    app.run(main)
