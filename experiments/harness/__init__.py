"""The harness: a script is a declaration that becomes a program."""

from experiments.harness.program import Experiment, Table
from experiments.report.claims import Conclusion
from experiments.trials.network import Network, Row, Step, Teacher

__all__ = ["Conclusion", "Experiment", "Network", "Row", "Step", "Table", "Teacher"]
