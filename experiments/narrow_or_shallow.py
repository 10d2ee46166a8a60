"""MobileNets Table 5: a narrow network against a shallow one.

    python -m experiments.narrow_or_shallow

Paper: arXiv 1704.04861, section 4.1 and Table 5. MobileNet at alpha 0.75, and at alpha
1 without its five blocks at 14x14.
Expected: at about equal cost, the narrow network is better.
Time and accuracies of the committed records: experiments/results.

ImageNet, prepared by TFDS:

    python -m experiments.narrow_or_shallow --dataset=imagenet2012 --data_dir=DIR \
        --recipe=paper --epochs=100
"""

import mobilenet_tf
from experiments.harness import Claim, Experiment, Network, Row, run
from experiments.published.mobilenets import TABLE5
from experiments.report.claims import falling
from mobilenet_tf.models.mobilenet import SHALLOW_BLOCKS

experiment = Experiment(
    name="narrow_or_shallow",
    title="MobileNets Table 5: narrow against shallow",
    rows=(
        Row(Network("0.75 MobileNet", mobilenet_tf.build, {"alpha": 0.75}), TABLE5[0]),
        Row(
            Network(
                "Shallow MobileNet", mobilenet_tf.build, {"blocks": SHALLOW_BLOCKS}
            ),
            TABLE5[1],
        ),
    ),
    claims=(
        Claim(
            "the narrow network is better than the shallow one",
            falling,
            reason="Ten classes may have no use for the five layers that are left out, "
            "and without them a network learns more in a few epochs",
        ),
    ),
)

if __name__ == "__main__":
    run(experiment)
