"""Whether what a paper concludes from a table holds on the data at hand."""

from __future__ import annotations

import collections
import dataclasses
import itertools
import json
import re
from collections.abc import Callable, Sequence

import numpy as np

from mobilenet_tf.reporting import table
from mobilenet_tf.reporting.rows import Row, select, values

DECIDED = 0.05
DRAWS = 4000


@dataclasses.dataclass(frozen=True)
class Conclusion:
    """A paper's conclusion, and how it is checked.

    Args:
        statement: What follows "that", such as "narrow beats shallow".
        holds: Called with the accuracies as fractions, in the order of the rows.
        about: Regular expression; the trained rows whose labels it is found in.
    """

    statement: str
    holds: Callable[..., bool]
    about: str = ""

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
            (values(row, results, metric), select(row, results))
            for row in rows
            if row.trained and re.search(self.about, row.network.label)
        ]
        missing = sum(not accuracies for accuracies, _ in found)
        if missing:
            verdict = f"is open: {missing} of {len(found)} networks not trained yet"
        else:
            means = [table.mean(accuracies) for accuracies, _ in found]
            verdict = "holds" if self.holds(*means) else "does not hold"
            verdict += " on this data"
            errors = [_standard_error(*one, seed_spread) for one in found]
            chance = self._chance(means, errors)
            if DECIDED < chance < 1 - DECIDED:
                of_seeds = " and seeds" if seed_spread else ""
                verdict += (
                    f"; drawn anew within the error of images{of_seeds}, in "
                    f"{100 * chance:.0f} % of cases"
                )
        return f"The conclusion that {self.statement} {verdict}."

    def _chance(self, means, errors):
        """How often it holds where each accuracy is drawn anew."""
        draws = np.random.default_rng(0).normal(means, errors, (DRAWS, len(means)))
        return float(np.mean([self.holds(*draw) for draw in draws.tolist()]))


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


def _standard_error(accuracies, found, spread):
    """Of a mean: what counting images leaves open, and the spread over the seeds."""
    mean, images = table.mean(accuracies), found[0]["data"]["evaluation_size"]
    return (mean * (1 - mean) / images + spread**2 / len(accuracies)) ** 0.5


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
