"""MobileNets Table 8: MobileNet beside GoogLeNet and VGG 16.

    python -m experiments.popular_models

trains MobileNet at alpha 1 on the embedded data set; of its rivals, it counts the costs
alone. The paper's conclusion: nearly the accuracy of VGG 16 at 32 times fewer
parameters and 27 times fewer mult-adds.

Time, device and expected values of the committed records: experiments/results.
Source: arXiv 1704.04861, section 4.3 and Table 8.
"""

import mobilenet_tf
from experiments.harness import Experiment, Network, Row
from experiments.published.mobilenets import TABLE8
from experiments.report.savings import Saving, savings
from mobilenet_tf.models import baselines

MOBILENET = Network("1 MobileNet", mobilenet_tf.build, {"alpha": 1.0, "rho": 1.0})


# Section 4.3 of the paper.
CLAIMS = (
    Saving("GoogLeNet", "mult_adds", 2.5),
    Saving("VGG 16", "parameters", 32),
    Saving("VGG 16", "mult_adds", 27),
)

experiment = Experiment(
    name="popular_models",
    title="MobileNets Table 8: MobileNet beside popular models",
    rows=(
        Row(MOBILENET, TABLE8[0]),
        Row(Network("GoogLeNet", baselines.googlenet), TABLE8[1], trained=False),
        Row(Network("VGG 16", baselines.vgg16), TABLE8[2], trained=False),
    ),
    appendix=lambda rows: savings(rows, CLAIMS),
    remark="That MobileNet is nearly as accurate is not checked here: the large "
    "networks are not trained.",
)

if __name__ == "__main__":
    experiment()
