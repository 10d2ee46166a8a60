"""What the committed records of the embedded data set show."""

import importlib
import statistics

import pytest
from conftest import ROOT

from experiments.harness import Config
from experiments.report import seed_spread
from experiments.trials import records
from experiments.trials.row import values


@pytest.fixture(params=["width_multiplier", "resolution_multiplier"])
def main_job(request):
    """Rows, claim and committed records of a table of the embedded data set."""
    experiment = importlib.import_module(f"experiments.{request.param}").experiment
    rows = experiment.rows_of(Config())
    (claim,) = experiment.claims_of(rows)
    results = records.read(ROOT / "experiments" / "results" / "vignettes.jsonl")
    return rows, claim, results


def test_the_main_job_decides_its_claims(main_job):
    """With the committed seeds; one alone may leave a claim open."""
    rows, claim, results = main_job
    spread = seed_spread.of_logits(results, "top1")
    assert claim.share(rows, results, "top1", spread) >= 0.95


def test_the_main_job_in_points(main_job):
    """The last row loses 8 points, far more than seeds differ by."""
    rows, claim, results = main_job
    top1s = [values(row, results) for row in claim.compared(rows)]
    assert statistics.fmean(top1s[0]) - statistics.fmean(top1s[-1]) >= 0.08
    for accuracies in top1s:
        assert len(accuracies) >= 5
        assert statistics.stdev(accuracies) <= 0.03
