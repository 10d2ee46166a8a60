"""Networks in fewer bytes and mult-adds, and a file format for them."""

import importlib

from mobilenet_tf.compression.channels import remove_channels
from mobilenet_tf.compression.low_rank import low_rank
from mobilenet_tf.compression.steps import cluster, prune, quantize

__all__ = ["cluster", "low_rank", "prune", "quantize", "remove_channels"]


def __getattr__(name):
    # It needs a package that all others do without.
    if name == "codec":
        return importlib.import_module(f"{__name__}.codec")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
