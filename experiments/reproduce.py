"""MobileNets Tables 6 and 7 in one run: alpha and rho on the embedded data set.

    python -m experiments.reproduce --workers=2

Paper: arXiv 1704.04861, section 4.2. The seven networks of both tables are one grid,
so that none is trained twice; then come both tables, whether each claim holds, and
accuracy over mult-adds as a figure.
Expected: accuracy falls with alpha and with rho.
Time: minutes on 2 CPU cores. BUILD.md has the accuracies of the committed records.
"""

from experiments import resolution_multiplier, width_multiplier
from experiments.harness import Experiment, run
from experiments.report.figures import accuracy_over_mult_adds

PARTS = (width_multiplier.experiment, resolution_multiplier.experiment)

experiment = Experiment(
    name="reproduce",
    title="MobileNets Tables 6 and 7: width and resolution multiplier",
    # The full network stands in both tables.
    rows=tuple({row.network.key: row for part in PARTS for row in part.rows}.values()),
    parts=PARTS,
    figures=(accuracy_over_mult_adds,),
)

if __name__ == "__main__":
    run(experiment)
