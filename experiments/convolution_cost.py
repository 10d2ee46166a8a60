"""MobileNets Table 3: what each change does to one convolution.

    python -m experiments.convolution_cost

Paper: arXiv 1704.04861, Table 3. The layer is 3x3, 512 to 512 channels on a 14x14 map;
the changes add up.
Time: seconds; it counts and trains nothing.
"""

import keras

from experiments.harness import Config, Table, run
from experiments.harness.page import Part
from experiments.published.mobilenets import TABLE3
from experiments.report.sheet import Sheet
from mobilenet_tf.analysis import cost, table
from mobilenet_tf.models.blocks import depthwise_separable, full_convolution
from mobilenet_tf.models.mobilenet import width

CHANNELS, SIDE = 512, 14
ALPHA, RHO = 0.75, 0.714
STEPS = (  # block, channels, side of the map
    (full_convolution, CHANNELS, SIDE),
    (depthwise_separable, CHANNELS, SIDE),
    (depthwise_separable, width(CHANNELS, ALPHA), SIDE),
    (depthwise_separable, width(CHANNELS, ALPHA), round(SIDE * RHO)),
)


def layer(block, channels: int, side: int) -> keras.Model:
    """One block alone as a model."""
    images = keras.Input((side, side, channels))
    return keras.Model(images, block(images, channels, name="layer"))


def content(config: Config) -> list[Part]:
    """Each change with the printed and the exact cost, and the saving so far."""
    rows = []
    models = [layer(*step) for step in STEPS]
    first = cost.mult_adds(models[0])
    for (change, mult_adds, parameters), model in zip(TABLE3, models, strict=True):
        exact = cost.mult_adds(model)
        rows.append(
            (
                change,
                table.number(mult_adds),
                table.millions(exact),
                table.number(parameters),
                table.millions(cost.parameters(model)),
                f"{first / exact:.1f} x",
            )
        )
    columns = ("Layer", "Paper M mult-adds", "Exact", "Paper M params", "Exact")
    return [Sheet((*columns, "Saving"), rows)]


experiment = Table(
    name="convolution_cost",
    title="MobileNets Table 3: one layer, changed step by step",
    content=content,
    remark="A depthwise separable convolution costs 1/N + 1/9 of a standard one with N "
    "filters of 3x3: 8 to 9 times less.",
)

if __name__ == "__main__":
    run(experiment)
