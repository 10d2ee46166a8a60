"""Claims: against the papers' own numbers, and decided by resampling."""

import importlib
import statistics

import numpy as np
import pytest

from experiments.harness import Claim, Config, Network, Row
from experiments.report import seed_spread
from experiments.report.claims import (
    Measured,
    falling,
    levels_off,
    loses_at_most,
    loses_less_than,
    rising,
    smaller_at,
)
from experiments.report.resampling import is_paired, resampled
from experiments.trials import bitmap
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
ROWS = tuple(Row(Network(f"{a:g}", build, {"alpha": a})) for a in (1.0, 0.5, 0.25))
IMAGES = 2000


def record(row, top1, seed=0, correct=None, images=IMAGES):
    result = {
        "network_key": row.network.key,
        "seed": seed,
        "data": {
            "evaluation_size": images,
            "class_names": ["a", "b"],
            "base_resolution": 32,
        },
        "metrics": {"top1": top1},
    }
    if correct is not None:
        result["correct"] = bitmap.encode(correct)
    return result


def paired_records(first_only, second_only, both=1200):
    """Two networks that differ on a few images of many."""
    first, second = np.zeros((2, IMAGES), bool)
    first[:both] = second[:both] = True
    first[both : both + first_only] = True
    second[both + first_only : both + first_only + second_only] = True
    return [
        record(row, correct.mean(), correct=correct)
        for row, correct in zip(ROWS[:2], (first, second), strict=True)
    ]


@pytest.mark.parametrize("script", SCRIPTS)
def test_claims_hold_for_the_published_numbers(script):
    experiment = importlib.import_module(f"experiments.{script}").experiment
    rows = experiment.rows_of(Config())
    claims = experiment.claims_of(rows)
    assert claims
    for claim in claims:
        printed = [row.published for row in claim.compared(rows)]
        measured = [
            Measured((row.top1 or row.top5) / 100, 0.0, row.compressed_size or row.size)
            for row in printed
        ]
        assert claim.holds(*measured), claim.statement


def test_verdicts():
    claim = Claim("accuracy falls with alpha", falling)
    results = [record(ROWS[0], 0.9), record(ROWS[1], 0.8)]
    assert claim.sentence(ROWS, results, "top1") == (
        "The claim that accuracy falls with alpha is open: 1 of 3 networks not trained "
        "yet."
    )
    for last, verdict in (
        (0.6, "holds on this data."),
        (0.9, "does not hold on this data."),
        (0.8, "is inconclusive: holds in 50 % of resamples."),
    ):
        sentence = claim.sentence(ROWS, [*results, record(ROWS[2], last)], "top1")
        assert sentence.endswith(f"alpha {verdict}")


def test_reason_follows_only_a_claim_that_does_not_hold():
    claim = Claim("it falls", falling, reason="Ten classes are few")
    results = [record(ROWS[0], 0.9), record(ROWS[1], 0.8)]
    for last, ending in (
        (0.6, "holds on this data."),
        (0.9, "does not hold on this data. Ten classes are few."),
        (0.8, "of resamples."),
    ):
        sentence = claim.sentence(ROWS, [*results, record(ROWS[2], last)], "top1")
        assert sentence.endswith(ending)


def test_claim_about_some_rows():
    claim = Claim("half is worse", falling, ROWS[:2])
    results = [record(ROWS[0], 0.9), record(ROWS[1], 0.8)]  # the third is not trained
    assert claim.sentence(ROWS, results, "top1").endswith("worse holds on this data.")


def test_claim_that_needs_seeds_is_open_without_them():
    results = [record(ROWS[0], 0.5, seed) for seed in range(2)]
    for seeds, verdict in ((2, "inconclusive"), (3, "is open: 1 of 1 networks not tr")):
        claim = Claim("half", lambda row: row.mean > 0.5, ROWS[:1], seeds)
        assert verdict in claim.sentence(ROWS, results, "top1")


def test_paired_resampling_agrees_with_the_analytic_error():
    """The variance of a difference that McNemar's test rests on."""
    better, worse = 60, 40
    results = paired_records(better, worse)
    claim = Claim("the first is better", falling, ROWS[:2])
    gain = (better - worse) / IMAGES
    variance = (better + worse - (better - worse) ** 2 / IMAGES) / IMAGES**2
    exact = statistics.NormalDist(gain, variance**0.5)
    # Half an image: a draw is no victory.
    expected = 1 - exact.cdf(0.5 / IMAGES)
    assert claim.share(ROWS, results, "top1") == pytest.approx(expected, abs=0.01)
    draws = resampled([[result] for result in results])
    differences = draws[:, 0] - draws[:, 1]
    assert differences.mean() == pytest.approx(gain, abs=2e-4)
    assert differences.std() == pytest.approx(variance**0.5, rel=0.05)


def test_pairs_decide_what_independent_errors_leave_open():
    results = paired_records(60, 30)
    claim = Claim("the first is better", falling, ROWS[:2])
    paired = claim.share(ROWS, results, "top1")
    for result in results:
        del result["correct"]
    independent = claim.share(ROWS, results, "top1")
    assert paired > 0.99
    assert 0.75 < independent < 0.9


def test_one_record_without_a_bitmap_makes_all_errors_independent():
    results = [[result] for result in paired_records(60, 30)]
    assert is_paired(results)
    assert not is_paired(results, "top5")
    assert not is_paired([*results, [record(ROWS[2], 0.5)]])
    shorter = record(ROWS[2], 0.5, correct=np.ones(10, bool))
    assert not is_paired([*results, [shorter]])


def test_seeds_count_as_error():
    """The pooled spread of networks with several seeds is that of all networks."""
    results = paired_records(60, 30)
    results += [record(ROWS[2], top1, seed) for seed, top1 in enumerate((0.4, 0.6))]
    spread = seed_spread.of_logits(results, "top1")
    assert spread == pytest.approx(statistics.stdev([0.4, 0.6]) / 0.25)
    assert seed_spread.of_logits(results[:2], "top1") == 0
    claim = Claim("the first is better", falling, ROWS[:2])
    assert claim.share(ROWS, results, "top1", spread) < 0.6
    draws = resampled([[result] for result in results[:2]], seed_spread=0.1)
    ends = [seed_spread.at(result["metrics"]["top1"], 0.1) for result in results[:2]]
    expected = (ends[0] ** 2 + ends[1] ** 2) ** 0.5
    assert (draws[:, 0] - draws[:, 1]).std() == pytest.approx(expected, rel=0.1)


def test_spread_of_seeds_depends_on_the_accuracy():
    """Seeds whose logits differ alike differ less in accuracy near 100 %."""
    logits = np.array([-0.1, 0.1])
    expected = np.std(logits, ddof=1)
    results = [
        record(row, 1 / (1 + np.exp(-(middle + logit))), seed)
        for row, middle in zip(ROWS, (0, 2, 4), strict=True)
        for seed, logit in enumerate(logits)
    ]
    spread = seed_spread.of_logits(results, "top1")
    assert spread == pytest.approx(expected, rel=0.01)
    assert seed_spread.at(0.5, spread) == pytest.approx(expected / 4, rel=0.01)
    assert seed_spread.at(0.9, spread) < seed_spread.at(0.5, spread) / 2
    # All of the images right, or none, says no more than 99 % of them.
    assert seed_spread.at(1.0, spread) == seed_spread.at(0.0, spread) > 0


def test_bitmap():
    for images in (0, 1, 8, 1001):
        correct = np.random.default_rng(images).random(images) < 0.7
        np.testing.assert_array_equal(bitmap.decode(bitmap.encode(correct)), correct)
    damaged = {**bitmap.encode(np.ones(9, bool)), "images": 17}
    with pytest.raises(ValueError, match="must be of 17 images, got 2 bytes"):
        bitmap.decode(damaged)
    with pytest.raises(ValueError, match="bitmap of correct images is damaged"):
        bitmap.decode({"images": 8, "bits": "not base64!"})


def measured(*means):
    return [Measured(mean) for mean in means]


def test_smaller_at():
    first = Measured(0.8, size_bytes=1600)
    smaller = smaller_at(16, 1)
    assert smaller(first, Measured(0.6, 0, 50), Measured(0.795, 0, 100))
    assert not smaller(first, Measured(0.795, 0, 101), Measured(0.7, 0, 9))


def test_levels_off():
    assert levels_off(*measured(0.6, 0.7, 0.75, 0.75))
    assert not levels_off(*measured(0.6, 0.61, 0.62, 0.64))
    assert not levels_off(*measured(0.7, 0.6, 0.6))
    assert rising(*measured(0.1, 0.2, 0.3))
    assert not rising(*measured(0.1, 0.3, 0.2))


def test_losses_are_those_from_the_first():
    assert loses_at_most(25)(*measured(0.75, 0.5))
    assert not loses_less_than(25)(*measured(0.75, 0.5))
    assert loses_less_than(25)(*measured(0.75, 0.625, 0.875))
    assert not loses_at_most(25)(*measured(0.75, 0.875, 0.375))
