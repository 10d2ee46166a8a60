"""MobileNets Table 5: a narrow network against a shallow one.

    python -m experiments.narrow_or_shallow

trains MobileNet at alpha 0.75, and at alpha 1 without its five blocks at 14x14, on the
embedded data set. The paper's conclusion: at about equal cost, narrow is better.

On ImageNet, with the data prepared by TFDS:

    python -m experiments.narrow_or_shallow --dataset=imagenet2012 --data_dir=DIR \
        --recipe=paper --epochs=100

Time, device and expected values of the committed records: experiments/results.
Source: arXiv 1704.04861, section 4.1 and Table 5.
"""

import mobilenet_tf
from experiments.harness import Conclusion, Experiment, Network, Row
from experiments.published.mobilenets import TABLE5
from mobilenet_tf.models.mobilenet import SHALLOW_BLOCKS

SHALLOW = {"alpha": 1.0, "rho": 1.0, "blocks": SHALLOW_BLOCKS}

experiment = Experiment(
    name="narrow_or_shallow",
    title="MobileNets Table 5: narrow against shallow",
    rows=(
        Row(
            Network("0.75 MobileNet", mobilenet_tf.build, {"alpha": 0.75, "rho": 1.0}),
            TABLE5[0],
        ),
        Row(Network("Shallow MobileNet", mobilenet_tf.build, SHALLOW), TABLE5[1]),
    ),
    conclusions=(
        Conclusion(
            "the narrow network is better than the shallow one",
            lambda narrow, shallow: narrow > shallow,
        ),
    ),
)

if __name__ == "__main__":
    experiment()
