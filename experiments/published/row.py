"""A row of a published table that compares networks."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class PublishedRow:
    """The numbers that a paper prints for a network; None where there is none.

    Attributes:
        table: Where it is printed, such as "MobileNets Table 6".
        label: The row's name, as printed.
        top1: Accuracy in percent.
        mult_adds: Million mult-adds.
        parameters: Million parameters.
        includes_classifier: Whether the mult-adds count the fully connected layer.
        note: A slip or an oddity of the printed row.
        top5: Top-5 accuracy in percent.
        size: Megabytes of float32 parameters, biases included.
        includes_biases: Whether the parameters count biases.
        parameter_classes: Classes of the classifier that the parameters count.
        compressed_size: Megabytes after compression.
    """

    table: str
    label: str
    top1: float | None = None
    mult_adds: float | None = None
    parameters: float | None = None
    includes_classifier: bool = True
    note: str = ""
    top5: float | None = None
    size: float | None = None
    includes_biases: bool = False
    parameter_classes: int = 1000
    compressed_size: float | None = None


def rows(table: str, *cells: tuple) -> tuple[PublishedRow, ...]:
    """The rows of a table, each from its cells in the order of the attributes."""
    return tuple(PublishedRow(table, *row) for row in cells)
