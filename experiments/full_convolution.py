"""MobileNets Table 4: depthwise separable against full convolutions.

    python -m experiments.full_convolution

trains MobileNet and its twin of full 3x3 convolutions on the embedded data set, at
alpha 1 as the paper does, and at alpha 0.25, where the twin has 2 million parameters
instead of 29. The paper's conclusion: depthwise separable convolutions cost about one
point of accuracy, and save most of the mult-adds and parameters.

On ImageNet, with the data prepared by TFDS:

    python -m experiments.full_convolution --dataset=imagenet2012 --data_dir=DIR \
        --recipe=paper --epochs=100

Time, device and expected values of the committed records: experiments/results.
Source: arXiv 1704.04861, section 4.1 and Table 4.
"""

import mobilenet_tf
from mobilenet_tf.experiment import Conclusion, Experiment, Network, Row
from mobilenet_tf.layers import full_convolution
from mobilenet_tf.reporting.conclusion import loses_less_than
from mobilenet_tf.reporting.published.mobilenets import TABLE4


def pair(alpha: float, name: str) -> tuple[Network, Network]:
    """The twin of full convolutions, and MobileNet."""
    size = {"alpha": alpha, "rho": 1.0}
    return (
        Network(
            f"{name}Conv MobileNet",
            mobilenet_tf.build,
            {**size, "block": full_convolution},
        ),
        Network(f"{alpha:g} MobileNet", mobilenet_tf.build, size),
    )


def conclusion(alpha: str, about: str) -> Conclusion:
    """The paper's, at one alpha."""
    return Conclusion(
        "depthwise separable convolutions lose less than two points of accuracy at "
        f"alpha {alpha}",
        loses_less_than(2),
        about=about,
    )


experiment = Experiment(
    name="full_convolution",
    title="MobileNets Table 4: depthwise separable against full convolutions",
    rows=(
        *map(Row, pair(1.0, ""), TABLE4),
        *map(Row, pair(0.25, "0.25 ")),
    ),
    conclusions=(
        conclusion("1", r"^(1|Conv)"),
        conclusion("0.25", r"^0\.25"),
    ),
)

if __name__ == "__main__":
    experiment()
