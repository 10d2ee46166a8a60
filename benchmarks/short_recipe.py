"""What each setting of the recipe `short` is worth.

    python -m benchmarks.short_recipe

MobileNet with the recipe on the embedded data set, from several seeds: as it is, and
with one setting at a time as it would be otherwise. It shows how much is learned, and
how much the seeds differ.
"""

import dataclasses

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
flags.DEFINE_integer("epochs", SHORT.epochs, "Epochs of each training.", 1)
flags.DEFINE_integer("seeds", 4, "Seeds of each recipe.", 2)

CHANGES = {
    "as it is": {},
    "classes not spread evenly": {"stratified": False},
    "depthwise filters as Keras has them": {"depthwise_norm": 0.0},
    "depthwise filters of norm 1": {"depthwise_norm": 1.0},
    "twice the rate": {"learning_rate": 2 * SHORT.learning_rate},
    "no warm-up": {"warmup_epochs": 0.0},
    "averaged weights": {"ema_momentum": 0.99},
}


def main(_):
    values = flags.FLAGS
    logging.set_verbosity(logging.WARNING)
    data = mobilenet_tf.data.from_tfds(
        values.dataset, values.data_dir, limit=values.limit
    )
    rows = []
    for name, changes in CHANGES.items():
        recipe = dataclasses.replace(SHORT, epochs=values.epochs, **changes)
        top1s = [
            _top1(data, recipe, values.alpha, seed) for seed in range(values.seeds)
        ]
        numbers = [*top1s, table.mean(top1s), table.spread(top1s)]
        rows.append((name, *map(table.percent, numbers)))
        print(", ".join(rows[-1]), flush=True)
    seeds = [f"seed {seed}" for seed in range(values.seeds)]
    text = table.render(("Recipe `short`", *seeds, "mean", "±"), rows)
    setting = (
        f"{values.alpha:g} MobileNet, {data.metadata.name}, {values.epochs} epochs: "
        "validation top-1 in percent."
    )
    publish("short_recipe", f"{text}\n\n{setting}", values.documents)


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
