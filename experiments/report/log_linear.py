"""The relation of Figure 4: accuracy grows about linearly with the log of mult-adds."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from experiments.report.claims import Measured, measured
from experiments.report.resampling import resampled
from experiments.report.sheet import Sheet
from experiments.trials.row import Row, select

LINEAR = 0.9  # R2 from which a relation is called linear


@dataclasses.dataclass(frozen=True)
class Fit:
    """A least-squares line of accuracies over the binary logarithm of costs.

    Attributes:
        slope: Gained with every doubling of the cost, in the unit of the accuracies.
        intercept: At cost 1.
        r2: Share of the variance of the accuracies that the line explains.
    """

    slope: float
    intercept: float
    r2: float

    def at(self, cost: float) -> float:
        """The accuracy on the line."""
        return self.intercept + self.slope * float(np.log2(cost))


def fit(costs: Sequence[float], accuracies: Sequence[float]) -> Fit:
    """The line through points; at least two of them have different costs."""
    doublings, heights = np.log2(costs), np.asarray(accuracies, "float64")
    slope, intercept = np.polyfit(doublings, heights, 1)
    rest = heights - (intercept + slope * doublings)
    variance = np.var(heights)
    r2 = 1 - np.var(rest) / variance if variance else 1.0
    return Fit(float(slope), float(intercept), float(r2))


def is_log_linear(*rows: Measured) -> bool:
    """Whether the line explains at least 90 % of the variance."""
    return fit([r.mult_adds for r in rows], [r.mean for r in rows]).r2 >= LINEAR


def relation(
    rows: Sequence[Row], results: Sequence[dict], seed_spread: float
) -> list[Sheet]:
    """Slope and R2 of the paper's points and of ours, with the interval of 95 %.

    Empty where a network is not trained yet.

    Args:
        rows: Networks of Figure 4.
        results: The table's records.
        seed_spread: See `experiments.report.seed_spread`; 0 where unknown.
    """
    if not all(select(row, results) for row in rows):
        return []
    paper = fit(
        [row.network.costs()["mult_adds"] for row in rows],
        [row.published.top1 for row in rows],
    )
    ours = [measured(row, results) for row in rows]
    costs = [row.mult_adds for row in ours]
    draws = resampled([select(row, results) for row in rows], "top1", seed_spread)
    lines = [fit(costs, 100 * means) for means in draws]
    mean = fit(costs, [100 * row.mean for row in ours])
    return [
        Sheet(
            ("Accuracy over mult-adds", "Points per doubling", "95 %", "R2", "95 %"),
            [
                ("Paper: ImageNet", f"{paper.slope:.2f}", "–", f"{paper.r2:.3f}", "–"),
                (
                    f"Ours: {results[0]['data']['name']}",
                    f"{mean.slope:.2f}",
                    _interval([line.slope for line in lines], 2),
                    f"{mean.r2:.3f}",
                    _interval([line.r2 for line in lines], 3),
                ),
            ],
            "relation",
        )
    ]


def _interval(values, digits):
    low, high = np.quantile(values, (0.025, 0.975))
    return f"{low:.{digits}f} to {high:.{digits}f}"
