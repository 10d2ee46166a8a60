"""What the papers conclude, against the papers' own numbers."""

import importlib
import re

import pytest

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
        accuracies = [row.published.top1 or row.published.top5 for row in rows]
        assert None not in accuracies, conclusion.statement
        assert conclusion.holds(*(one / 100 for one in accuracies)), accuracies
