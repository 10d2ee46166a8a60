"""MobileNets Table 7: the resolution multiplier rho.

    python -m experiments.resolution_multiplier

trains MobileNet at alpha 1 with rho 1, 6/7, 5/7 and 4/7 on the embedded data set and
prints the paper's rows beside ours. The paper's conclusion: accuracy falls smoothly
with the resolution, at a constant number of parameters.

On ImageNet, with the data prepared by TFDS:

    python -m experiments.resolution_multiplier --dataset=imagenet2012 --data_dir=DIR \
        --recipe=paper --epochs=100 --seeds=3

Time and device: 6 minutes on 2 CPU cores; on 112 px photographs, recipe modern, 30
epochs, about 100 minutes. Expected values of the committed records: BUILD.md.
Source: arXiv 1704.04861, section 4.2 and Table 7.
"""

import mobilenet_tf
from experiments.harness import Conclusion, Experiment, Network, Row
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
                {"alpha": 1.0, "rho": side / 224},
            ),
            published,
        )
        for side, published in TABLE7.items()
    ),
    conclusions=(Conclusion("accuracy falls with rho", falling),),
)

if __name__ == "__main__":
    experiment()
