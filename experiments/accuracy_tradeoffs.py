"""MobileNets Figures 4 and 5: accuracy over mult-adds and over parameters.

    python -m experiments.accuracy_tradeoffs

trains all 16 networks of alpha x rho on the embedded data set and draws both figures,
the paper's points and ours. The paper's conclusion: accuracy is about linear in the
logarithm of the mult-adds, with a jump where the networks become very small.

On ImageNet, with the data prepared by TFDS:

    python -m experiments.accuracy_tradeoffs --dataset=imagenet2012 --data_dir=DIR \
        --recipe=paper --epochs=100

Time and device: on 112 px photographs, recipe modern, 30 epochs, 16 networks take
about 3.5 hours of 2 CPU cores. Expected values of the committed records: BUILD.md.
Source: arXiv 1704.04861, section 4.2, Figures 4 and 5.
"""

import mobilenet_tf
from experiments.harness import Conclusion, Experiment, Network, Row
from experiments.published.mobilenets import FIGURE4
from experiments.report.claims import falling
from experiments.report.figures import accuracy_over_mult_adds, accuracy_over_parameters

SIDES = 4  # resolutions of each alpha, the largest first


def falls_both_ways(*top1s: float) -> bool:
    """Whether accuracy falls with rho at each alpha, and with alpha at each rho."""
    by_alpha = [top1s[start : start + SIDES] for start in range(0, len(top1s), SIDES)]
    return all(falling(*line) for line in (*by_alpha, *zip(*by_alpha, strict=True)))


experiment = Experiment(
    name="accuracy_tradeoffs",
    title="MobileNets Figures 4 and 5: 16 networks",
    rows=tuple(
        Row(
            Network(
                f"{alpha:g} MobileNet, rho {side * 7 // 224}/7",
                mobilenet_tf.build,
                {"alpha": alpha, "rho": side / 224},
            ),
            published,
        )
        for (alpha, side), published in FIGURE4.items()
    ),
    figures=(accuracy_over_mult_adds, accuracy_over_parameters),
    conclusions=(
        Conclusion(
            "accuracy falls with rho at each alpha, and with alpha at each rho",
            falls_both_ways,
        ),
    ),
)

if __name__ == "__main__":
    experiment()
