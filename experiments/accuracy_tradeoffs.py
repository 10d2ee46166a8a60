"""MobileNets Figures 4 and 5: accuracy over mult-adds and over parameters.

    python -m experiments.accuracy_tradeoffs

Paper: arXiv 1704.04861, section 4.2. All 16 networks of alpha x rho.
Expected: accuracy falls with alpha and with rho, about linearly in the logarithm of the
mult-adds.
Time: about 3.5 hours on 2 CPU cores for 30 epochs of 112 px photographs.

ImageNet, prepared by TFDS:

    python -m experiments.accuracy_tradeoffs --dataset=imagenet2012 --data_dir=DIR \
        --recipe=paper --epochs=100
"""

import mobilenet_tf
from experiments.harness import Claim, Experiment, Network, Row, run
from experiments.published.mobilenets import FIGURE4
from experiments.report.claims import Measured, falling
from experiments.report.figures import accuracy_over_mult_adds, accuracy_over_parameters
from experiments.report.log_linear import is_log_linear, relation

SIDES = 4  # resolutions of each alpha, the largest first


def falls_both_ways(*rows: Measured) -> bool:
    """Whether accuracy falls with rho at each alpha, and with alpha at each rho."""
    by_alpha = [rows[start : start + SIDES] for start in range(0, len(rows), SIDES)]
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
    analysis=relation,
    claims=(
        Claim(
            "accuracy falls with rho at each alpha, and with alpha at each rho",
            falls_both_ways,
            reason="The claim makes 24 comparisons, some between networks that differ "
            "less than seeds do",
        ),
        Claim(
            "accuracy is about linear in the logarithm of the mult-adds, R2 at least "
            "0.9",
            is_log_linear,
            reason="At equal mult-adds a narrow network with large inputs is better "
            "here than a wide one with small inputs, so no one line fits both: small "
            "images lose more by fewer pixels than few classes by fewer filters",
        ),
    ),
)

if __name__ == "__main__":
    run(experiment)
