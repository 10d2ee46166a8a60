"""MobileNets Table 6: the width multiplier alpha.

    python -m experiments.width_multiplier

Paper: arXiv 1704.04861, section 4.2 and Table 6.
Expected: accuracy falls with alpha, most at 0.25.
Time: minutes on 2 CPU cores; about 75 minutes for 30 epochs of 112 px photographs.
BUILD.md has the accuracies of the committed records.

ImageNet, prepared by TFDS:

    python -m experiments.width_multiplier --dataset=imagenet2012 --data_dir=DIR \
        --recipe=paper --epochs=100 --seeds=3
"""

import mobilenet_tf
from experiments.harness import Claim, Experiment, Network, Row, run
from experiments.published.mobilenets import TABLE6
from experiments.report.claims import falling

experiment = Experiment(
    name="width_multiplier",
    title="MobileNets Table 6: width multiplier",
    rows=tuple(
        Row(
            Network(f"{alpha:g} MobileNet", mobilenet_tf.build, {"alpha": alpha}),
            published,
        )
        for alpha, published in TABLE6.items()
    ),
    claims=(Claim("accuracy falls with alpha", falling),),
)

if __name__ == "__main__":
    run(experiment)
