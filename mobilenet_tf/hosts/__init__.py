"""Processes on several hosts that train one network together, on the JAX backend."""

from mobilenet_tf.hosts.addresses import Hosts, parse
from mobilenet_tf.hosts.cluster import Cluster, joined
from mobilenet_tf.hosts.watch import HostError

__all__ = ["Cluster", "HostError", "Hosts", "joined", "parse"]
