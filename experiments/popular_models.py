"""MobileNets Table 8: MobileNet beside GoogLeNet and VGG 16.

    python -m experiments.popular_models

trains MobileNet at alpha 1 on the embedded data set; of its rivals, it counts the costs
alone. The paper's conclusion: nearly the accuracy of VGG 16 at 32 times fewer
parameters and 27 times fewer mult-adds.

Time, device and expected values of the committed records: experiments/results.
Source: arXiv 1704.04861, section 4.3 and Table 8.
"""

import mobilenet_tf
from mobilenet_tf import baselines
from mobilenet_tf.experiment import Experiment, Network, Row
from mobilenet_tf.reporting.published.mobilenets import TABLE8

MOBILENET = Network("1 MobileNet", mobilenet_tf.build, {"alpha": 1.0, "rho": 1.0})


def savings(rows: tuple[Row, ...]) -> str:
    """How much smaller MobileNet is than VGG 16, counted."""
    mobilenet, _, vgg = (row.network.costs() for row in rows)
    parameters = vgg["parameters_with_biases"] / mobilenet["parameters"]
    mult_adds = vgg["convolution_mult_adds"] / mobilenet["mult_adds"]
    return (
        "The conclusion that MobileNet is 32 times smaller than VGG 16 and 27 times "
        f"less compute intensive holds: exactly, {parameters:.1f} times fewer "
        f"parameters and {mult_adds:.1f} times fewer mult-adds. That it is nearly as "
        "accurate is not checked here; the large networks are not trained."
    )


experiment = Experiment(
    name="popular_models",
    title="MobileNets Table 8: MobileNet beside popular models",
    rows=(
        Row(MOBILENET, TABLE8[0]),
        Row(Network("GoogLeNet", baselines.googlenet), TABLE8[1], trained=False),
        Row(Network("VGG 16", baselines.vgg16), TABLE8[2], trained=False),
    ),
    appendix=savings,
)

if __name__ == "__main__":
    experiment()
