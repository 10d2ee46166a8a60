"""MobileNets Table 8: MobileNet beside GoogLeNet and VGG 16.

    python -m experiments.popular_models

Paper: arXiv 1704.04861, section 4.3 and Table 8. MobileNet at alpha 1 is trained; of
the other networks the costs are counted.
Expected: nearly the accuracy of VGG 16 with 32 times fewer parameters and 27 times
fewer mult-adds.
Time and accuracies of the committed records: experiments/results.
"""

import mobilenet_tf
from experiments.harness import Experiment, Network, Row, run
from experiments.published.mobilenets import TABLE8
from experiments.report.savings import Saving, savings
from mobilenet_tf.models import baselines

MOBILENET = Row(Network("1 MobileNet", mobilenet_tf.build), TABLE8[0])
GOOGLENET = Row(Network("GoogLeNet", baselines.googlenet), TABLE8[1], trained=False)
VGG16 = Row(Network("VGG 16", baselines.vgg16), TABLE8[2], trained=False)
# Section 4.3 of the paper.
SAVINGS = (
    Saving(MOBILENET, GOOGLENET, "mult_adds", 2.5),
    Saving(MOBILENET, VGG16, "parameters", 32),
    Saving(MOBILENET, VGG16, "mult_adds", 27),
)

experiment = Experiment(
    name="popular_models",
    title="MobileNets Table 8: MobileNet beside popular models",
    rows=(MOBILENET, GOOGLENET, VGG16),
    appendix=lambda: [savings(SAVINGS)],
    remark="That MobileNet is nearly as accurate is not checked here: the large "
    "networks are not trained.",
)

if __name__ == "__main__":
    run(experiment)
