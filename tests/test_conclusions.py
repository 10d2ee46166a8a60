"""What the papers conclude, against the papers' own numbers."""

import importlib
import re

import pytest

from mobilenet_tf.reporting.conclusion import Accuracy

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
