"""MobileNets Table 7: the resolution multiplier rho.

    python -m experiments.resolution_multiplier

Paper: arXiv 1704.04861, section 4.2 and Table 7.
Expected: accuracy falls with rho, at a constant number of parameters.
Time: minutes on 2 CPU cores; about 100 minutes for 30 epochs of 112 px photographs.
BUILD.md has the accuracies of the committed records.

ImageNet, prepared by TFDS:

    python -m experiments.resolution_multiplier --dataset=imagenet2012 --data_dir=DIR \
        --recipe=paper --epochs=100 --seeds=3
"""

import mobilenet_tf
from experiments.harness import Claim, Experiment, Network, Row, run
from experiments.published.mobilenets import TABLE7
from experiments.report.claims import falling

experiment = Experiment(
    name="resolution_multiplier",
    title="MobileNets Table 7: resolution multiplier",
    rows=tuple(
        Row(
            Network(
                f"1 MobileNet, rho {side * 7 // 224}/7",
                mobilenet_tf.build,
                {"rho": side / 224},
            ),
            published,
        )
        for side, published in TABLE7.items()
    ),
    claims=(Claim("accuracy falls with rho", falling),),
)

if __name__ == "__main__":
    run(experiment)
