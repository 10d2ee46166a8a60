"""What the papers conclude, against the papers' own numbers."""

import importlib
import re

import pytest

from experiments.report.claims import Accuracy, Conclusion
from experiments.trials.network import Network, Row
from mobilenet_tf.models.mobilenet import build

SCRIPTS = (
    "bypass",
    "deep_compression",
    "expand_filters",
    "full_convolution",
    "narrow_or_shallow",
    "resolution_multiplier",
    "small_models",
    "squeeze_ratio",
    "width_multiplier",
)


@pytest.mark.parametrize("script", SCRIPTS)
def test_conclusions_hold_for_the_published_numbers(script):
    experiment = importlib.import_module(f"experiments.{script}").experiment
    assert experiment.conclusions
    for conclusion in experiment.conclusions:
        rows = [row for row in experiment.rows if row.trained]
        rows = [row for row in rows if re.search(conclusion.about, row.network.label)]
        printed = [row.published for row in rows]
        accuracies = [
            Accuracy((one.top1 or one.top5) / 100, 0.0, one.compressed_size or one.size)
            for one in printed
        ]
        assert conclusion.holds(*accuracies), conclusion.statement


def test_a_conclusion_that_needs_seeds_is_open_without_them():
    row = Row(Network("one", build, {"alpha": 0.25}))
    results = [
        {
            "network": row.network.identity,
            "seed": seed,
            "data": {
                "evaluation_size": 100,
                "class_names": ["a", "b"],
                "base_resolution": 32,
            },
            "metrics": {"top1": 0.5},
        }
        for seed in range(2)
    ]
    for seeds, verdict in ((2, "holds"), (3, "is open: 1 of 1 .* yet with 3 seeds")):
        conclusion = Conclusion("half are right", lambda one: one == 0.5, seeds=seeds)
        assert re.search(verdict, conclusion.sentence([row], results, "top1"))
