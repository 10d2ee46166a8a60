"""MobileNets Table 10: fine-grained classification, from scratch and by transfer.

    python -m experiments.fine_grained --mobilenet_weights=FILE

Paper: arXiv 1704.04861, section 4.4 and Table 10. The paper's four networks from
scratch, and MobileNet at alpha 0.25 both from scratch and from ImageNet weights; of
Inception V3 the costs are counted. The paper's own networks were pre-trained on noisy
images from the web, which are not public.
Expected: pre-training helps.
Time and accuracies of the committed records: experiments/results.

Stanford Dogs, which TFDS downloads:

    python -m experiments.fine_grained --dataset=stanford_dogs --data_dir=DIR \
        --epochs=100 --mobilenet_weights=FILE
"""

from pathlib import Path

import mobilenet_tf
from experiments.harness import Claim, Config, Experiment, Network, Row, run
from experiments.published.mobilenets import TABLE10
from experiments.report.claims import rising
from mobilenet_tf.models import baselines

PAPER = ((1.0, 224), (0.75, 224), (1.0, 192), (0.75, 192))  # alpha, side
SMALL = {"alpha": 0.25}


def mobilenet(alpha: float, side: int) -> Network:
    """The network of a row of the paper."""
    return Network(
        f"{alpha:g} MobileNet, rho {side * 7 // 224}/7",
        mobilenet_tf.build,
        {"alpha": alpha, "rho": side / 224},
    )


def rows(config: Config) -> tuple[Row, ...]:
    """The paper's rows, then the same network from scratch and by transfer."""
    large = Network("Inception V3", baselines.inception_v3, {}, 299)
    scratch = Network("0.25 MobileNet, from scratch", mobilenet_tf.build, SMALL)
    transfer = Network(
        "0.25 MobileNet, from ImageNet weights",
        mobilenet_tf.build,
        SMALL,
        weights=Path(config.mobilenet_file or "FILE of --mobilenet_weights"),
    )
    return (
        Row(large, TABLE10[0], trained=False),
        *(
            Row(mobilenet(*size), printed)
            for size, printed in zip(PAPER, TABLE10[1:], strict=True)
        ),
        Row(scratch),
        Row(transfer),
    )


def claims(rows: tuple[Row, ...]) -> tuple[Claim, ...]:
    """The last two rows differ in pre-training alone."""
    return (Claim("pre-training on ImageNet helps", rising, rows[-2:]),)


experiment = Experiment(
    name="fine_grained",
    title="MobileNets Table 10: fine-grained classification",
    rows=rows,
    claims=claims,
    paper_data="Stanford Dogs",
    remark="The printed mult-adds are those of 1000 classes, the parameters those of "
    "120; the last two rows are of 1000. Where the images are ImageNet's, as in "
    "Imagenette, the pre-trained weights have seen most of those that are evaluated.",
)

if __name__ == "__main__":
    run(experiment)
