"""Claims of a paper, tested on the measured accuracies."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Sequence

from experiments.report import sizes
from experiments.report.resampling import DRAWS, is_paired, resampled
from experiments.trials.row import Row, select, values
from mobilenet_tf.analysis import table

DECIDED = 0.95  # share of resamples that decides a claim


@dataclasses.dataclass(frozen=True)
class Measured:
    """The measurements of a row's network.

    Attributes:
        mean: Mean accuracy over its seeds, as a fraction.
        spread: Sample standard deviation over its seeds; 0 for one seed.
        size_bytes: Bytes of its file, or of float32 weights if it is not compressed;
            NaN where it is unknown.
        mult_adds: Of the network as it was trained; NaN where they are unknown.
    """

    mean: float
    spread: float = 0.0
    size_bytes: float = math.nan
    mult_adds: float = math.nan


@dataclasses.dataclass(frozen=True)
class Claim:
    """A claim of a paper, and how it is checked.

    Args:
        statement: What follows "the claim that", such as "narrow beats shallow".
        holds: Called with the `Measured` of each compared row, in order.
        rows: The compared rows; None means all trained rows of the table.
        seeds: How many seeds of each row it needs.
        reason: Where our measurements contradict it, what may be the reason: a sentence
            that follows the verdict, printed nowhere else.
    """

    statement: str
    holds: Callable[..., bool]
    rows: tuple[Row, ...] | None = None
    seeds: int = 1
    reason: str = ""

    def sentence(
        self,
        rows: Sequence[Row],
        results: Sequence[dict],
        metric: str,
        seed_spread: float = 0.0,
    ) -> str:
        """The claim and whether it holds; it is open while a row is not trained.

        Args:
            rows: The table's rows.
            results: The table's records.
            metric: The accuracy that is compared.
            seed_spread: See `experiments.report.seed_spread`; 0 where it is not known.
        """
        compared = self.compared(rows)
        trained = [len(select(row, results)) for row in compared]
        missing = sum(seeds < self.seeds for seeds in trained)
        if missing:
            said = f"is open: {missing} of {len(compared)} networks not trained yet"
            if self.seeds > 1:
                said += f" with {self.seeds} seeds"
        else:
            known = [measured(row, results, metric) for row in compared]
            share = self.share(rows, results, metric, seed_spread)
            said = verdict(self.holds(*known), share, " on this data", self.reason)
        return f"The claim that {self.statement} {said}."

    def share(
        self,
        rows: Sequence[Row],
        results: Sequence[dict],
        metric: str,
        seed_spread: float = 0.0,
    ) -> float:
        """The share of resamples in which the claim holds; see `sentence`."""
        compared = self.compared(rows)
        known = [measured(row, results, metric) for row in compared]
        networks = [select(row, results) for row in compared]
        draws = resampled(networks, metric, seed_spread).tolist()
        fixed = [(row.spread, row.size_bytes, row.mult_adds) for row in known]
        held = [
            self.holds(
                *(
                    Measured(mean, *others)
                    for mean, others in zip(means, fixed, strict=True)
                )
            )
            for means in draws
        ]
        return sum(held) / len(held)

    def compared(self, rows: Sequence[Row]) -> list[Row]:
        """The rows that the claim is about, of a table's rows."""
        return [row for row in (self.rows or rows) if row.trained]


def measured(row: Row, results: Sequence[dict], metric: str = "top1") -> Measured:
    """Mean and spread over the seeds of a row that has records, and its size."""
    accuracies = values(row, results, metric)
    size_bytes = sizes.size_bytes(row, results) or math.nan
    spread = table.spread(accuracies) or 0.0
    records = select(row, results)
    cost = records[0].get("cost", {}) if records else {}
    return Measured(
        table.mean(accuracies), spread, size_bytes, cost.get("mult_adds", math.nan)
    )


def method(
    results: Sequence[dict], metric: str, seed_spread: float, own_seeds: bool = True
) -> str:
    """A sentence on how the claims of a table are tested.

    Args:
        results: The table's records.
        metric: The accuracy that is compared.
        seed_spread: See `experiments.report.seed_spread`; 0 where it is not known.
        own_seeds: Whether it is that of the table's records, not of committed ones.
    """
    images = "of the same images" if is_paired([results], metric) else "of the images"
    seeds = " and of the seeds"
    if not seed_spread:
        seeds = " (of one seed of each network: how seeds differ is not known)"
    elif not own_seeds:
        seeds += " (whose spread is that of the committed records)"
    return (
        f"A claim is decided if {100 * DECIDED:.0f} % of {DRAWS:,} resamples "
        f"{images}{seeds} agree with what was measured."
    )


def falling(*rows: Measured) -> bool:
    """Whether each accuracy is below the one before it."""
    return all(first.mean > second.mean for first, second in itertools.pairwise(rows))


def rising(*rows: Measured) -> bool:
    """Whether each accuracy is above the one before it."""
    return falling(*reversed(rows))


def levels_off(*rows: Measured) -> bool:
    """Whether the last step gains less than the steps before it do on average."""
    first, *_, previous, last = (row.mean for row in rows)
    gained = previous - first
    return gained > 0 and last - previous < gained / (len(rows) - 2)


def loses_less_than(points: float) -> Callable[..., bool]:
    """Whether all are less than so many percentage points below the first."""
    return lambda *rows: _loss(*rows) < points / 100


def loses_at_most(points: float) -> Callable[..., bool]:
    """Whether none is more than so many percentage points below the first."""
    return lambda *rows: _loss(*rows) <= points / 100


def smaller_at(times: float, points: float) -> Callable[..., bool]:
    """Whether a file is so many times smaller than the first row's float32 weights.

    And its network loses at most so many percentage points.
    """
    return lambda first, *others: any(
        first.size_bytes / row.size_bytes >= times and _loss(first, row) <= points / 100
        for row in others
    )


def _loss(first, *others):
    """The largest loss of accuracy from the first row, as a fraction."""
    return first.mean - min(row.mean for row in others)


def verdict(holds: bool, share: float, where: str = "", reason: str = "") -> str:
    """What follows the statement of a claim.

    Args:
        holds: Whether it holds for what was measured.
        share: Of the resamples, in which it holds; most of them decide it.
        where: Follows where it is decided.
        reason: A sentence that follows where it does not hold.
    """
    if holds and share >= DECIDED:
        return f"holds{where}"
    if not holds and share <= 1 - DECIDED:
        return f"does not hold{where}" + (f". {reason}" if reason else "")
    return f"is inconclusive: holds in {100 * share:.0f} % of resamples"
