"""MobileNets Table 2: mult-adds and parameters per type of layer.

    python -m experiments.resource_per_layer_type

Paper: arXiv 1704.04861, Table 2.
Time: seconds; it counts and trains nothing.
"""

import mobilenet_tf
from experiments.harness import Config, Table, run
from experiments.harness.page import Part
from experiments.published.mobilenets import TABLE2, TABLE2_SLIPS
from experiments.report.sheet import Sheet
from mobilenet_tf.analysis import cost


def content(config: Config) -> list[Part]:
    """The share of each type, as printed and exact."""
    kinds = cost.by_kind(mobilenet_tf.build())
    totals = [sum(column) for column in zip(*kinds.values(), strict=True)]
    rows = []
    for kind, printed in TABLE2.items():
        row = [kind]
        for share, count, total in zip(printed, kinds[kind], totals, strict=True):
            row += [f"{share:.2f}", f"{100 * count / total:.2f}", f"{count:,}"]
        rows.append(row)
    columns = ["Type"]
    for quantity in ("mult-adds", "parameters"):
        columns += [f"Paper {quantity} %", "Exact %", quantity.capitalize()]
    return [Sheet(columns, rows)]


experiment = Table(
    name="resource_per_layer_type",
    title="MobileNets Table 2: resources per type of layer",
    content=content,
    remark="\n".join(
        f"The printed {TABLE2[kind][0]} of {kind} is a slip for {shares[0]}: with it "
        "the column adds up to 100."
        for kind, shares in TABLE2_SLIPS.items()
    ),
)

if __name__ == "__main__":
    run(experiment)
