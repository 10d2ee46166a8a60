"""MobileNets Table 4: depthwise separable against full convolutions.

    python -m experiments.full_convolution

Paper: arXiv 1704.04861, section 4.1 and Table 4.
Expected: depthwise separable convolutions lose about one point of accuracy, and save
most of the mult-adds and parameters.
Time and accuracies of the committed records: experiments/results.

ImageNet, prepared by TFDS:

    python -m experiments.full_convolution --dataset=imagenet2012 --data_dir=DIR \
        --recipe=paper --epochs=100
"""

import mobilenet_tf
from experiments.harness import Claim, Experiment, Network, Row, run
from experiments.published.mobilenets import TABLE4
from experiments.report.claims import loses_less_than
from mobilenet_tf.models.blocks import full_convolution

experiment = Experiment(
    name="full_convolution",
    title="MobileNets Table 4: depthwise separable against full convolutions",
    rows=(
        Row(
            Network("Conv MobileNet", mobilenet_tf.build, {"block": full_convolution}),
            TABLE4[0],
        ),
        Row(Network("1 MobileNet", mobilenet_tf.build), TABLE4[1]),
    ),
    claims=(
        Claim(
            "depthwise separable convolutions lose less than two points of accuracy",
            loses_less_than(2),
        ),
    ),
)

if __name__ == "__main__":
    run(experiment)
