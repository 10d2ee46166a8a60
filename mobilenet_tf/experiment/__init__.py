"""The harness: an `Experiment` is a declaration that becomes a program."""

from mobilenet_tf.experiment.main import Experiment
from mobilenet_tf.reporting.rows import Network, Row

__all__ = ["Experiment", "Network", "Row"]
