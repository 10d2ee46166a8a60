"""Whether what a paper concludes from a table holds on the data at hand."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence

from mobilenet_tf.reporting import table
from mobilenet_tf.reporting.rows import Row, values


@dataclasses.dataclass(frozen=True)
class Conclusion:
    """A paper's conclusion, and how it is checked.

    Args:
        statement: What follows "that", such as "narrow beats shallow".
        holds: Called with the accuracies as fractions, in the order of the trained
            rows.
    """

    statement: str
    holds: Callable[..., bool]

    def sentence(self, rows: Sequence[Row], results: list[dict], metric: str) -> str:
        """The conclusion and whether it holds; open while a row is not trained."""
        trained = [row for row in rows if row.trained]
        means = [table.mean(values(row.network, results, metric)) for row in trained]
        missing = means.count(None)
        if missing:
            verdict = f"is open: {missing} of {len(means)} networks not trained yet"
        else:
            verdict = "holds" if self.holds(*means) else "does not hold"
            verdict += " on this data"
        return f"The conclusion that {self.statement} {verdict}."


def falling(*accuracies: float) -> bool:
    """Whether each accuracy is below the one before it."""
    return all(one > other for one, other in itertools.pairwise(accuracies))
