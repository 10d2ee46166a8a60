"""Ratios of two networks' costs, as a paper prints them and as counted."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from experiments.trials.row import Row


@dataclasses.dataclass(frozen=True)
class Saving:
    """A statement of a paper's text about the costs of two rows.

    Args:
        row: The cheaper network.
        rival: The network that it is compared with.
        quantity: "mult_adds" or "parameters".
        times: How many times fewer, as printed.
    """

    row: Row
    rival: Row
    quantity: str
    times: float

    def sentence(self) -> str:
        """The claim, and whether it holds when both networks are counted."""
        counted = self.rival.cost(self.quantity) / self.row.cost(self.quantity)
        # Compared in as many digits as the text prints.
        decimals = len(f"{self.times:g}".partition(".")[2])
        holds = round(counted, decimals) >= self.times
        return (
            f"The claim that {self.row.network.label} has {self.times:g} times fewer "
            f"{self.quantity.replace('_', '-')} than {self.rival.network.label} "
            f"{'holds' if holds else 'does not hold'}: counted, {counted:.1f} times."
        )


def savings(claims: Sequence[Saving]) -> str:
    """The sentence of each claim, as a Markdown list."""
    return "\n".join(f"- {claim.sentence()}" for claim in claims)
