"""MobileNets Table 4: depthwise separable against full convolutions.

    python -m experiments.full_convolution

trains MobileNet and its twin of full 3x3 convolutions on the embedded data set. The
paper's conclusion: depthwise separable convolutions cost about one point of accuracy,
and save most of the mult-adds and parameters.

On ImageNet, with the data prepared by TFDS:

    python -m experiments.full_convolution --dataset=imagenet2012 --data_dir=DIR \
        --recipe=paper --epochs=100

Time, device and expected values of the committed records: experiments/results.
Source: arXiv 1704.04861, section 4.1 and Table 4.
"""

import mobilenet_tf
from experiments.harness import Conclusion, Experiment, Network, Row
from experiments.published.mobilenets import TABLE4
from experiments.report.claims import loses_less_than
from mobilenet_tf.models.blocks import full_convolution

SIZE = {"alpha": 1.0, "rho": 1.0}

experiment = Experiment(
    name="full_convolution",
    title="MobileNets Table 4: depthwise separable against full convolutions",
    rows=(
        Row(
            Network(
                "Conv MobileNet",
                mobilenet_tf.build,
                {**SIZE, "block": full_convolution},
            ),
            TABLE4[0],
        ),
        Row(Network("1 MobileNet", mobilenet_tf.build, SIZE), TABLE4[1]),
    ),
    conclusions=(
        Conclusion(
            "depthwise separable convolutions lose less than two points of accuracy",
            loses_less_than(2),
        ),
    ),
)

if __name__ == "__main__":
    experiment()
