"""The command line that all experiments share."""

from __future__ import annotations

import dataclasses

from absl import flags

from experiments.harness.config import Config
from mobilenet_tf.cli.flags import as_flags
from mobilenet_tf.data.rendering import EMBEDDED
from mobilenet_tf.data.storage import MODES
from mobilenet_tf.training.precision import CHOICES
from mobilenet_tf.training.recipes import RECIPES

# Library arguments whose flag has another name.
_RENAMED = {
    "evaluation_split": "--eval_split",
    "mode": "--data_mode",
    "name": "--dataset",
}


_DEFAULT = Config()


def define() -> None:
    """Define the flags, with the defaults of `Config`; called once, by the program."""
    _of_data()
    _of_training()
    _of_a_grid()
    _of_hosts()
    _of_files()
    _of_some_scripts()


def _string(name, text):
    flags.DEFINE_string(name, getattr(_DEFAULT, name), text)


def _integer(name, text):
    flags.DEFINE_integer(name, getattr(_DEFAULT, name), text, lower_bound=1)


def _number(name, text):
    flags.DEFINE_float(name, getattr(_DEFAULT, name), text, lower_bound=0)


def _boolean(name, text):
    flags.DEFINE_bool(name, getattr(_DEFAULT, name), text)


def _enum(name, choices, text):
    flags.DEFINE_enum(name, getattr(_DEFAULT, name), choices, text)


def _list(name, text):
    flags.DEFINE_list(name, list(getattr(_DEFAULT, name)), text)


def _of_data():
    _string("dataset", "TFDS classification data set; the default is drawn here.")
    _string("data_dir", "Directory of TFDS data sets. Default: TFDS' own.")
    _integer(
        "base_resolution",
        "Input side in pixels at rho 1. Default: 224, or the side of the images where "
        "all have one that is smaller.",
    )
    _integer("limit", "Use only the first N images of both splits.")
    _string("train_split", "TFDS split to train on. Default: train.")
    _string("eval_split", "TFDS split to evaluate on. Default: validation or test.")
    _string("image_key", "Image feature, if the data set has several.")
    _string("label_key", "Label feature, if the data set has several.")
    _boolean("to_rgb", "Repeat grey channels three times and drop alpha channels.")
    _enum("data_mode", MODES, "Decode images once into memory, or in every epoch.")
    _number(
        "memory_budget_gib",
        "Largest data set, in GiB, that --data_mode=auto decodes into memory.",
    )
    _string("arrays", "File of decoded images: read if it exists, written otherwise.")


def _of_training():
    _enum(
        "recipe",
        sorted(RECIPES),
        f"Training recipe. Default: short for {EMBEDDED}, modern for other data.",
    )
    _integer("epochs", "Epochs. Default: the recipe's.")
    _integer("batch_size", "Batch size. Default: the recipe's.")
    _integer("seeds", "Train every network with seeds 0 to N - 1.")
    _string("only", "Train only networks whose label matches this regular expression.")
    _enum(
        "precision",
        CHOICES,
        "Arithmetic of the training step; auto chooses the fastest on this processor.",
    )
    _boolean("data_parallel", "Split each batch over all devices.")


def _of_a_grid():
    _string(
        "cluster",
        "Train with Ray: local for several networks at a time on this machine, or "
        "HOST:PORT of a Ray cluster. Default: one after the other in this process.",
    )
    _integer(
        "workers",
        "Networks at a time on this machine, which share its cores; more than 1 means "
        "--cluster=local. Default there: one for each core.",
    )
    _integer(
        "trial_cpus",
        "CPU cores that a network's training takes on a cluster. Default: all of the "
        "node with the fewest.",
    )
    _number("trial_gpus", "GPUs that it takes. Default: 1 where there are any.")
    _number(
        "trial_memory_gib", "GiB of memory that it takes. Default: none are reserved."
    )
    _string(
        "storage",
        "Folder or fsspec URL, such as s3://bucket/folder, of snapshots, models and "
        "records of a cluster. Default: the working directory.",
    )


def _of_hosts():
    _list(
        "hosts",
        "Hosts that train each network together, on JAX: HOST:PORT,HOST,... The same "
        "command is given on each.",
    )
    flags.DEFINE_integer(
        "host_index",
        _DEFAULT.host_index,
        "Number of this host in --hosts, from 0. Default: that of the launcher.",
    )
    _number("hosts_wait", "Seconds for which hosts wait until all are connected.")


def _of_files():
    _string("workdir", "Directory of snapshots, models, records and tables.")
    _boolean("dry_run", "Print the costs and write --arrays; train nothing.")
    _boolean("render", "Print the table from existing records; train nothing.")
    _string("results", "Committed records, which --render reads too.")
    _string("tables_dir", "Directory of tables and figures. Default: WORKDIR/tables.")
    _list("documents", "Markdown files whose marked blocks the tables replace.")


def _of_some_scripts():
    _boolean(
        "measure",
        "Run the measurements that have no record yet, in scripts that measure.",
    )
    _list(
        "mobilenet_weights",
        "Files of MobileNets' ImageNet weights, for scripts that use them.",
    )
    _string(
        "squeezenet_weights",
        "The SqueezeNet authors' compressed .net file, for scripts that read it.",
    )


def in_terms_of_flags(message: str, config: type[Config] = Config) -> str:
    """An error of the library or of a script in the words of the command line.

    Args:
        message: It names arguments or fields of the configuration.
        config: The class of the script's configuration, whose fields are its flags.
    """
    own = {field.name: f"--{field.name}" for field in dataclasses.fields(config)}
    return as_flags(message, own | _RENAMED)
