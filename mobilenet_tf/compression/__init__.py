"""Trained networks in fewer bytes and mult-adds."""

from mobilenet_tf.compression.channels import remove_channels
from mobilenet_tf.compression.low_rank import low_rank
from mobilenet_tf.compression.rounding import round_vectors
from mobilenet_tf.compression.steps import cluster, prune, quantize
from mobilenet_tf.compression.updates import update

__all__ = [
    "cluster",
    "low_rank",
    "prune",
    "quantize",
    "remove_channels",
    "round_vectors",
    "update",
]
