"""MobileNets Table 9: a small MobileNet beside SqueezeNet and AlexNet.

    python -m experiments.small_models --recipe=gentle

Paper: arXiv 1704.04861, section 4.3 and Table 9. MobileNet at alpha 0.5, rho 5/7 and
SqueezeNet are trained, with a recipe that suits a network without normalisation; of
AlexNet the costs are counted.
Expected: at the size of SqueezeNet, MobileNet is better with a fraction of the
mult-adds.
Time and accuracies of the committed records: experiments/results.

ImageNet, prepared by TFDS:

    python -m experiments.small_models --dataset=imagenet2012 --data_dir=DIR \
        --recipe=gentle --epochs=100
"""

import mobilenet_tf
from experiments.harness import Claim, Experiment, Network, Row, run
from experiments.published.mobilenets import TABLE9
from experiments.report.claims import falling
from experiments.report.savings import Saving, savings
from mobilenet_tf.models import baselines

MOBILENET = Row(
    Network(
        "0.5 MobileNet, rho 5/7", mobilenet_tf.build, {"alpha": 0.5, "rho": 160 / 224}
    ),
    TABLE9[0],
)
SQUEEZENET = Row(
    Network("SqueezeNet", mobilenet_tf.build_squeezenet, resolution=227), TABLE9[1]
)
ALEXNET = Row(
    Network("AlexNet", baselines.alexnet, resolution=227), TABLE9[2], trained=False
)
# Section 4.3 of the paper.
SAVINGS = (
    Saving(MOBILENET, SQUEEZENET, "mult_adds", 22),
    Saving(MOBILENET, ALEXNET, "parameters", 45),
    Saving(MOBILENET, ALEXNET, "mult_adds", 9.4),
)

experiment = Experiment(
    name="small_models",
    title="MobileNets Table 9: a small MobileNet beside popular models",
    rows=(MOBILENET, SQUEEZENET, ALEXNET),
    claims=(Claim("the small MobileNet is better than SqueezeNet", falling),),
    appendix=lambda: [savings(SAVINGS)],
    remark="The 22 times take SqueezeNet's multiplications and additions for "
    "mult-adds. The text says 4 % better than both; the printed table, 2.7 and 3.0 "
    "points. At this rate MobileNet learns less than with recipe `modern`, at which "
    "SqueezeNet does not learn.",
)

if __name__ == "__main__":
    run(experiment)
