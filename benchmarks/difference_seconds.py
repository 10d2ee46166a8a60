"""Seconds to write and to apply the difference of two networks, in four ways.

    python -m benchmarks.difference_seconds
    python -m benchmarks.difference_seconds --weights=FILE

A MobileNet in 8 bits, random or of published weights, and the same one after an update
that has moved a share of the weights in its kernels by about one step of their scale:
as files of the codec. Rounds are interleaved; printed are medians. Bytes on real
updates are in `experiments.over_the_air`.
"""

import collections
import statistics
import tempfile
import warnings
from pathlib import Path

import keras
import numpy as np
from absl import app, flags

import mobilenet_tf
from benchmarks.report import publish
from experiments.updates import differences, forms
from mobilenet_tf import codec
from mobilenet_tf.analysis import table
from mobilenet_tf.compression import kernels, updates
from mobilenet_tf.compression.fine_tuning import copy_of

flags.DEFINE_float("alpha", 0.25, "Width multiplier.", 0)
flags.DEFINE_integer("side", 128, "Input side in pixels.", 32)
flags.DEFINE_string("weights", None, "File of ImageNet weights; random ones without.")
flags.DEFINE_float("share", 0.1, "Share of the weights that the update moves.", 0, 1)
flags.DEFINE_integer("rounds", 5, "Rounds.", 1)


def files(
    alpha: float, side: int, weights: str | None, share: float
) -> tuple[bytes, bytes]:
    """The old file and the new one; the arguments are the flags."""
    keras.utils.set_random_seed(0)
    with warnings.catch_warnings():  # nothing is trained
        warnings.simplefilter("ignore", UserWarning)
        model = mobilenet_tf.build(alpha, base_resolution=side, weights=weights)
    old = forms.rounded_to_int8(model)
    rng = np.random.default_rng(0)
    before = kernels.by_name(old)
    trained = {
        name: (values + rng.normal(0, values.std() / 50, values.shape)).astype(
            "float32"
        )
        for name, values in before.items()
    }
    new = copy_of(old)
    kernels.replace(new, updates.restrict(before, trained, share))
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("old", "new")]
        for path, network in zip(paths, (old, new), strict=True):
            codec.save(network, path)
        first, second = (path.read_bytes() for path in paths)
    return first, second


def main(_) -> None:
    """Measure and print."""
    values = flags.FLAGS
    old, new = files(values.alpha, values.side, values.weights, values.share)
    found = collections.defaultdict(list)
    for _ in range(values.rounds):
        for way, measured in differences.measure(old, new).items():
            found[way].append(measured)

    def median(way, name):
        return statistics.median(measured[name] for measured in found[way])

    rows = [
        (
            way,
            f"{found[way][0]['bytes']:,}",
            f"{median(way, 'diff_seconds'):.3f}",
            f"{median(way, 'apply_seconds'):.4f}",
        )
        for way in found
    ]
    columns = ("difference", "bytes", "seconds to write", "to apply")
    publish(
        "difference_seconds",
        f"{table.render(columns, rows)}\n\n"
        f"MobileNet {values.alpha:g} at {values.side} px in 8 bits, {len(old):,} "
        f"bytes, {'published' if values.weights else 'random'} weights; "
        f"{100 * values.share:g} % of the weights in kernels have moved; medians of "
        f"{values.rounds} rounds.",
        values.documents,
    )


if __name__ == "__main__":
    app.run(main)
