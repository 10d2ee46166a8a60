"""The command line that all experiments share."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from absl import flags

from experiments.trials.network import Network, Row
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.data.rendering import EMBEDDED
from mobilenet_tf.data.storage import MODES
from mobilenet_tf.data.tfds_source import from_tfds
from mobilenet_tf.training.clone import PRECISIONS
from mobilenet_tf.training.recipe import Recipe
from mobilenet_tf.training.recipes import RECIPES

FLAGS = flags.FLAGS


def define() -> None:
    """Define the flags; called once, by the script that runs."""
    flags.DEFINE_string(
        "dataset",
        EMBEDDED,
        "TFDS classification data set, built-in or prepared in --data_dir; the default "
        "is rendered by this package.",
    )
    flags.DEFINE_string("data_dir", None, "Directory of TFDS data sets.")
    flags.DEFINE_integer(
        "base_resolution",
        None,
        "Input side in pixels at rho 1. Default: 224, or the side of the images where "
        "all have one that is smaller.",
        1,
    )
    flags.DEFINE_enum(
        "recipe",
        None,
        sorted(RECIPES),
        f"How to train. Default: short for {EMBEDDED}, modern for everything else.",
    )
    flags.DEFINE_integer("epochs", None, "Epochs. Default: the recipe's.", 1)
    flags.DEFINE_integer("batch_size", None, "Batch size. Default: the recipe's.", 1)
    flags.DEFINE_integer("seeds", 1, "Train seeds 0 to N - 1.", 1)
    flags.DEFINE_string(
        "only", None, "Train only the networks whose label matches this expression."
    )
    flags.DEFINE_integer("limit", None, "Use only so many images of both splits.", 1)
    flags.DEFINE_string("workdir", "runs", "Snapshots, models, records, tables.")
    flags.DEFINE_bool(
        "dry_run", False, "Print exact costs, write --arrays; train nothing."
    )
    flags.DEFINE_bool("render", False, "Print the table from records; train nothing.")
    flags.DEFINE_string(
        "results",
        "experiments/results",
        "Committed records that --render shows beside those of the workdir.",
    )
    flags.DEFINE_string(
        "tables_dir", None, "Where tables and figures go. Default: WORKDIR/tables."
    )
    flags.DEFINE_list(
        "documents", [], "Markdown files whose marked blocks the tables replace."
    )
    flags.DEFINE_string("train_split", None, "Split to train on. Default: train.")
    flags.DEFINE_string(
        "eval_split", None, "Split to evaluate. Default: validation or test."
    )
    flags.DEFINE_string("image_key", None, "Image feature, where there are several.")
    flags.DEFINE_string("label_key", None, "Label feature, where there are several.")
    flags.DEFINE_bool("to_rgb", False, "Repeat grey channels, drop alpha channels.")
    flags.DEFINE_enum("data_mode", "auto", MODES, "Decode once, or in every epoch.")
    flags.DEFINE_float(
        "memory_budget_gib", 4.0, "The most that data_mode auto decodes into memory.", 0
    )
    flags.DEFINE_string(
        "arrays", None, "File of decoded arrays: read if it exists, else written."
    )
    flags.DEFINE_enum(
        "precision", "float32", PRECISIONS, "Arithmetic of the training step."
    )
    flags.DEFINE_bool("data_parallel", False, "Split each batch over all devices.")
    flags.DEFINE_integer(
        "workers", 1, "Processes that share the grid and the cores.", 1
    )
    flags.DEFINE_string(
        "mobilenet_weights",
        None,
        "ImageNet weights of MobileNet at alpha 0.25, 128 px, for the scripts that "
        "evaluate or fine-tune them.",
    )
    flags.DEFINE_string(
        "squeezenet_weights",
        None,
        "The SqueezeNet authors' compressed `.net` file, for the scripts that read it.",
    )
    flags.DEFINE_integer(
        "worker_of", None, "Process that this worker belongs to; set by the program."
    )


def recipe() -> Recipe:
    """The chosen recipe with the flags' changes."""
    changes = {
        name: getattr(FLAGS, name)
        for name in ("epochs", "batch_size")
        if getattr(FLAGS, name) is not None
    }
    default = "short" if FLAGS.dataset == EMBEDDED else "modern"
    return dataclasses.replace(RECIPES[FLAGS.recipe or default], **changes)


def data() -> DataSet:
    """The chosen data set.

    Raises:
        ValueError: It does not fit, or it is a multi-label data set.
    """
    return from_tfds(
        FLAGS.dataset,
        FLAGS.data_dir,
        base_resolution=FLAGS.base_resolution,
        mode=FLAGS.data_mode,
        memory_budget_bytes=int(FLAGS.memory_budget_gib * 2**30),
        arrays=FLAGS.arrays,
        train_split=FLAGS.train_split,
        evaluation_split=FLAGS.eval_split,
        image_key=FLAGS.image_key,
        label_key=FLAGS.label_key,
        limit=FLAGS.limit,
        to_rgb=FLAGS.to_rgb,
        single_label=True,
    )


def chosen(rows: Sequence[Row]) -> list[Network]:
    """The networks of a table that are to be trained.

    Raises:
        ValueError: --only is no regular expression, or matches no trained row.
    """
    trained = [row.network for row in rows if row.trained]
    try:
        found = [
            network for network in trained if re.search(FLAGS.only or "", network.label)
        ]
    except re.error as error:
        raise ValueError(
            f"only must be a regular expression, got {FLAGS.only!r}: {error}"
        ) from error
    if trained and not found:
        labels = ", ".join(network.label for network in trained)
        raise ValueError(f"only must match one of {labels}; got {FLAGS.only!r}")
    return found
