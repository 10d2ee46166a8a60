"""MobileNets Table 6: the width multiplier alpha.

    python -m experiments.width_multiplier

trains alpha 1, 0.75, 0.5 and 0.25 at full resolution on the embedded data set and
prints the paper's rows beside ours. The paper's conclusion: accuracy falls smoothly
until the network becomes very small at alpha 0.25.

On ImageNet, with the data prepared by TFDS:

    python -m experiments.width_multiplier --dataset=imagenet2012 --data_dir=DIR \
        --recipe=paper --epochs=100 --seeds=3

Time and device: 4 minutes on 2 CPU cores; on 112 px photographs, recipe modern, 30
epochs, about 75 minutes. Expected values of the committed records: BUILD.md.
Source: arXiv 1704.04861, section 4.2 and Table 6.
"""

import mobilenet_tf
from experiments.harness import Conclusion, Experiment, Network, Row
from experiments.published.mobilenets import TABLE6
from experiments.report.claims import falling

experiment = Experiment(
    name="width_multiplier",
    title="MobileNets Table 6: width multiplier",
    rows=tuple(
        Row(
            Network(
                f"{alpha:g} MobileNet", mobilenet_tf.build, {"alpha": alpha, "rho": 1.0}
            ),
            published,
        )
        for alpha, published in TABLE6.items()
    ),
    conclusions=(Conclusion("accuracy falls with alpha", falling),),
)

if __name__ == "__main__":
    experiment()
