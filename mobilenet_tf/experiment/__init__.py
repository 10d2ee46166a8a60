"""The harness: a script is a declaration that becomes a program."""

from mobilenet_tf.experiment.main import Experiment, Table
from mobilenet_tf.reporting.conclusion import Conclusion
from mobilenet_tf.reporting.rows import Network, Row, Step, Teacher

__all__ = ["Conclusion", "Experiment", "Network", "Row", "Step", "Table", "Teacher"]
