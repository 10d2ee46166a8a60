"""A row of a table: a network that we build beside a published row."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from experiments.published.row import PublishedRow
from experiments.trials.network import Network

_NOTHING = PublishedRow("", "")


@dataclasses.dataclass(frozen=True, eq=False)
class Row:
    """A row of a table.

    Args:
        network: The network that we build.
        published: What the paper prints; nothing for a row that is only ours.
        trained: Whether the experiment trains it, or only counts its costs.
    """

    network: Network
    published: PublishedRow = _NOTHING
    trained: bool = True

    def cost(self, quantity: str) -> int:
        """A cost in the paper's convention for this row.

        Args:
            quantity: "mult_adds" or "parameters".
        """
        kind, classes = quantity, 1000
        if quantity == "parameters":
            classes = self.published.parameter_classes
            if self.published.includes_biases:
                kind = "parameters_with_biases"
        elif not self.published.includes_classifier:
            kind = "convolution_mult_adds"
        return self.network.costs(classes)[kind]


def select(row: Row, results: Sequence[dict]) -> list[dict]:
    """The records of a row, in the order of their seeds.

    A row that is not trained has none, even if another table trains its network.
    """
    if not row.trained:
        return []
    chosen = [record for record in results if record["network_key"] == row.network.key]
    return sorted(chosen, key=lambda record: record["seed"])


def values(row: Row, results: Sequence[dict], metric: str = "top1") -> list[float]:
    """A metric of a row, one value per seed; records without the metric are left out.

    Top-5 accuracy is not measured on data sets with at most five classes.
    """
    records = select(row, results)
    return [
        record["metrics"][metric] for record in records if metric in record["metrics"]
    ]
