"""The line of Figure 4, against the formulas of the standard library."""

import math
import statistics

import pytest
from test_reporting import network, record

from experiments.published.mobilenets import FIGURE4
from experiments.report.claims import Measured
from experiments.report.log_linear import fit, is_log_linear, relation
from experiments.trials.row import Row

CORNERS = {
    (alpha, side): published
    for (alpha, side), published in FIGURE4.items()
    if alpha in (0.25, 1.0) and side in (128, 224)
}
ROWS = tuple(
    Row(network(alpha, side / 224), published)
    for (alpha, side), published in CORNERS.items()
)


def test_fit_is_the_least_squares_line():
    costs = [alpha**1.9 * side**2 for alpha, side in FIGURE4]
    accuracies = [published.top1 for published in FIGURE4.values()]
    line = fit(costs, accuracies)
    doublings = [math.log2(cost) for cost in costs]
    slope, intercept = statistics.linear_regression(doublings, accuracies)
    assert line.slope == pytest.approx(slope)
    assert line.intercept == pytest.approx(intercept)
    assert line.r2 == pytest.approx(statistics.correlation(doublings, accuracies) ** 2)
    assert line.at(2**20) == pytest.approx(intercept + 20 * slope)


def test_what_is_linear():
    costs = (1e6, 2e6, 4e6, 8e6)
    straight = [Measured(0.5 + 0.05 * i, mult_adds=c) for i, c in enumerate(costs)]
    bent = [Measured(0.8 - 0.1 * (i == 3), mult_adds=c) for i, c in enumerate(costs)]
    assert is_log_linear(*straight) and not is_log_linear(*bent)


def test_relation_needs_every_network():
    results = [
        {
            **record(alpha, 0, published.top1 / 100, rho=side / 224),
            "cost": {"mult_adds": row.network.costs()["mult_adds"]},
        }
        for ((alpha, side), published), row in zip(CORNERS.items(), ROWS, strict=True)
    ]
    (sheet,) = relation(ROWS, results, 0.0)
    paper, ours = sheet.rows
    assert paper[1] == ours[1] and paper[3] == ours[3]  # the same numbers
    low, high = map(float, ours[2].split(" to "))
    assert low < float(ours[1]) < high < low + 1
    assert relation(ROWS, results[1:], 0.0) == []
