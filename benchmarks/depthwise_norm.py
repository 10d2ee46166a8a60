"""What networks learn in their first epochs, by the norm of their depthwise filters.

    python -m benchmarks.depthwise_norm

MobileNet in the first epochs of the recipe `short` on the embedded data set, from
several seeds, with depthwise filters as Keras initialises them and scaled to several
norms (`Recipe.depthwise_norm`), after a short warm-up and a long one: how much they
have learned by then, and how much their seeds differ.
"""

import dataclasses
import itertools

import keras
from absl import app, flags, logging

import mobilenet_tf
from benchmarks.report import publish
from mobilenet_tf.analysis import table
from mobilenet_tf.data.rendering import EMBEDDED
from mobilenet_tf.training.recipes import SHORT

flags.DEFINE_string("dataset", EMBEDDED, "TFDS data set.")
flags.DEFINE_string("data_dir", None, "Directory of TFDS data sets.")
flags.DEFINE_integer("limit", None, "Images of each split; the first ones.", 1)
flags.DEFINE_float("alpha", 0.25, "Width multiplier.")
flags.DEFINE_integer("epochs", 2, "Epochs of each training.", 1)
flags.DEFINE_integer("seeds", 4, "Seeds of each norm.", 2)
flags.DEFINE_list("norms", ["0", "1", "3"], "Norms; 0 leaves Keras' own.")
flags.DEFINE_list("warmups", ["0.25", "1"], "Epochs of warm-up.")


def main(_):
    values = flags.FLAGS
    logging.set_verbosity(logging.WARNING)
    data = mobilenet_tf.data.from_tfds(
        values.dataset, values.data_dir, limit=values.limit
    )
    rows = []
    for warmup, norm in itertools.product(values.warmups, map(float, values.norms)):
        recipe = dataclasses.replace(
            SHORT,
            warmup_epochs=float(warmup),
            depthwise_norm=norm,
            epochs=values.epochs,
        )
        top1s = [
            _top1(data, recipe, values.alpha, seed) for seed in range(values.seeds)
        ]
        numbers = [*top1s, table.mean(top1s), table.spread(top1s)]
        name = f"{norm:g}" if norm else "Keras' own"
        rows.append((warmup, name, *map(table.percent, numbers)))
        print(", ".join(rows[-1]), flush=True)
    seeds = [f"seed {seed}" for seed in range(values.seeds)]
    text = table.render(("Warm-up", "norm", *seeds, "mean", "±"), rows)
    setting = (
        f"{values.alpha:g} MobileNet, {data.metadata.name}, {values.epochs} epochs of "
        "the recipe `short` after warming up for so many: validation top-1 in percent."
    )
    publish("depthwise_norm", f"{text}\n\n{setting}", values.documents)


def _top1(data, recipe, alpha, seed):
    """Validation accuracy after a training."""
    keras.utils.set_random_seed(seed)
    side = data.metadata.base_resolution
    model = mobilenet_tf.build(alpha, classes=data.classes, base_resolution=side)
    mobilenet_tf.fit(model, data, recipe, seed=seed, report=None)
    evaluation = mobilenet_tf.evaluate(
        model, data, central_fraction=recipe.central_fraction
    )
    return evaluation.top1


if __name__ == "__main__":
    app.run(main)
