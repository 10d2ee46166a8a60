"""MobileNets Table 1: the body, layer by layer, with the sizes of a network we build.

    python -m experiments.body_architecture

Paper: arXiv 1704.04861, Table 1.
Time: seconds; it counts and trains nothing.
"""

import mobilenet_tf
from experiments.harness import Config, Table, run
from experiments.harness.page import Part
from experiments.published.mobilenets import TABLE1
from experiments.report.sheet import Sheet
from mobilenet_tf.analysis import cost, table


def content(config: Config) -> list[Part]:
    """Every layer with weights: as printed, and as built."""
    model = mobilenet_tf.build()
    rows = []
    costs = [layer for layer in cost.per_layer(model) if layer.weights]
    for (_, filters, inputs), layer in zip(TABLE1, costs, strict=True):
        strides = getattr(model.get_layer(layer.name), "strides", (1, 1))[0]
        rows.append(
            (
                layer.name,
                f"{layer.kind} / s{strides}",
                table.shape(filters),
                table.shape(inputs),
                table.shape(layer.output_shape),
                f"{layer.mult_adds:,}",
                f"{layer.weights:,}",
            )
        )
    total = (f"{cost.mult_adds(model):,}", f"{cost.parameters(model):,}")
    rows.append(("total", "", "", "", "", *total))
    columns = ("Layer", "Type / stride", "Paper filter shape", "Paper input")
    return [Sheet((*columns, "Output", "Mult-adds", "Weights"), rows)]


experiment = Table(
    name="body_architecture",
    title="MobileNets Table 1: body architecture",
    content=content,
    remark="The paper prints stride 2 for the last depthwise layer; the sizes printed "
    "around it, and the 569 million mult-adds of the text, need stride 1. Average "
    "pooling and softmax, which have no weights, are left out.",
)

if __name__ == "__main__":
    run(experiment)
