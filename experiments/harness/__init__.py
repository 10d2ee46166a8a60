"""The harness: a script is a declaration that becomes a program."""

from experiments.harness.config import Config
from experiments.harness.experiment import Experiment, Table
from experiments.harness.program import run
from experiments.report.claims import Claim
from experiments.trials.network import Network, Step, Teacher
from experiments.trials.row import Row

__all__ = [
    "Claim",
    "Config",
    "Experiment",
    "Network",
    "Row",
    "Step",
    "Table",
    "Teacher",
    "run",
]
