"""Whether what a paper concludes from a table holds on the data at hand."""

from __future__ import annotations

import collections
import dataclasses
import itertools
import json
import math
import re
from collections.abc import Callable, Sequence

import numpy as np

from experiments.report import sizes
from experiments.trials.network import Row, values
from mobilenet_tf.analysis import table

DECIDED = 0.05
DRAWS = 4000


class Accuracy(float):
    """The mean accuracy of a row as a fraction, and what else is known of the row.

    Attributes:
        spread: Sample standard deviation over its seeds; 0 of one seed.
        size_bytes: Bytes of its file; of float32 weights where it is not compressed.
    """

    def __new__(cls, value: float, spread: float = 0.0, size_bytes: float = math.nan):
        accuracy = super().__new__(cls, value)
        accuracy.spread, accuracy.size_bytes = spread, size_bytes
        return accuracy


@dataclasses.dataclass(frozen=True)
class Conclusion:
    """A paper's conclusion, and how it is checked.

    Args:
        statement: What follows "that", such as "narrow beats shallow".
        holds: Called with an `Accuracy` of each row, in their order.
        about: Regular expression; the trained rows whose labels it is found in.
        seeds: How many of each row it needs.
    """

    statement: str
    holds: Callable[..., bool]
    about: str = ""
    seeds: int = 1

    def sentence(
        self,
        rows: Sequence[Row],
        results: list[dict],
        metric: str,
        seed_spread: float = 0.0,
    ) -> str:
        """The conclusion and whether it holds; open while a row is not trained.

        Args:
            rows: Of the table.
            results: Its records.
            metric: What is concluded about.
            seed_spread: What `spread_over_seeds` gives; 0 where it is not known.
        """
        found = [
            (row, values(row, results, metric))
            for row in rows
            if row.trained and re.search(self.about, row.network.label)
        ]
        missing = sum(len(accuracies) < self.seeds for _, accuracies in found)
        if missing:
            verdict = f"is open: {missing} of {len(found)} networks not trained yet"
            if self.seeds > 1:
                verdict += f" with {self.seeds} seeds"
        else:
            measured = [_accuracy(*one, results) for one in found]
            verdict = "holds" if self.holds(*measured) else "does not hold"
            verdict += " on this data"
            images = results[0]["data"]["evaluation_size"]
            errors = [_error(seeds, images, seed_spread) for _, seeds in found]
            chance = self._chance(measured, errors)
            if DECIDED < chance < 1 - DECIDED:
                of_seeds = " and seeds" if seed_spread else ""
                verdict += (
                    f"; drawn anew within the error of images{of_seeds}, in "
                    f"{100 * chance:.0f} % of cases"
                )
        return f"The conclusion that {self.statement} {verdict}."

    def _chance(self, measured, errors):
        """How often it holds where each accuracy is drawn anew."""
        size = DRAWS, len(measured)
        draws = np.random.default_rng(0).normal(measured, errors, size).tolist()
        known = [(one.spread, one.size_bytes) for one in measured]
        return float(np.mean([self.holds(*map(_again, draw, known)) for draw in draws]))


def spread_over_seeds(results: list[dict], metric: str) -> float:
    """Standard deviation over seeds, of all networks that have several; 0 of none."""
    accuracies = collections.defaultdict(list)
    for record in results:
        network = json.dumps(record["network"], sort_keys=True)
        accuracies[network].append(record["metrics"][metric])
    several = [seeds for seeds in accuracies.values() if len(seeds) > 1]
    freedom = sum(len(seeds) - 1 for seeds in several)
    squares = sum(table.spread(seeds) ** 2 * (len(seeds) - 1) for seeds in several)
    return (squares / freedom) ** 0.5 if several else 0.0


def _accuracy(row, seeds, results):
    size_bytes = sizes.size_bytes(row, results) or math.nan
    return Accuracy(table.mean(seeds), table.spread(seeds) or 0.0, size_bytes)


def _again(value, known):
    return Accuracy(value, *known)


def _error(seeds, images, spread):
    """Of a mean: what counting images leaves open, and the spread over the seeds."""
    mean = table.mean(seeds)
    return (mean * (1 - mean) / images + spread**2 / len(seeds)) ** 0.5


def falling(*accuracies: float) -> bool:
    """Whether each accuracy is below the one before it."""
    return all(one > other for one, other in itertools.pairwise(accuracies))


def rising(*accuracies: float) -> bool:
    """Whether each accuracy is above the one before it."""
    return falling(*reversed(accuracies))


def levels_off(*accuracies: float) -> bool:
    """Whether the last step gains less than those before it do on average."""
    *_, before, last = accuracies
    gained = before - accuracies[0]
    return gained > 0 and last - before < gained / (len(accuracies) - 2)


def loses_less_than(points: float) -> Callable[..., bool]:
    """Whether all are less than so many percentage points below the first."""
    return lambda before, *after: before - min(after) < points / 100


def loses_at_most(points: float) -> Callable[..., bool]:
    """Whether none is more than so many percentage points below the first."""
    return lambda before, *after: before - min(after) <= points / 100


def smaller_at(times: float, points: float) -> Callable[..., bool]:
    """Whether a file is so many times smaller than the first row's float32 weights.

    And its network loses at most so many percentage points.
    """
    return lambda before, *after: any(
        before.size_bytes / one.size_bytes >= times and before - one <= points / 100
        for one in after
    )
