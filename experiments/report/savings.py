"""How many times cheaper a network is than others, as a paper says and as counted."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from experiments.trials.network import Row


@dataclasses.dataclass(frozen=True)
class Saving:
    """What a paper's text says of the first row of a table.

    Args:
        rival: Label of the row that it is compared with.
        quantity: "mult_adds" or "parameters".
        times: How many times fewer, as printed.
    """

    rival: str
    quantity: str
    times: float

    def sentence(self, rows: Sequence[Row]) -> str:
        """The claim, and whether it holds when both are counted."""
        first = rows[0]
        (rival,) = (row for row in rows if row.network.label == self.rival)
        counted = rival.cost(self.quantity) / first.cost(self.quantity)
        # Printed with as many digits as the text has.
        decimals = len(f"{self.times:g}".partition(".")[2])
        holds = round(counted, decimals) >= self.times
        return (
            f"The conclusion that {first.network.label} has {self.times:g} times fewer "
            f"{self.quantity.replace('_', '-')} than {self.rival} "
            f"{'holds' if holds else 'does not hold'}: counted, {counted:.1f} times."
        )


def savings(rows: Sequence[Row], claims: Sequence[Saving]) -> str:
    """A Markdown list of what a paper's text says."""
    return "\n".join(f"- {claim.sentence(rows)}" for claim in claims)
