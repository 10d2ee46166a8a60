"""MobileNets Table 10: fine-grained classification, from scratch and by transfer.

    python -m experiments.fine_grained --mobilenet_weights=FILE

trains the paper's four networks from scratch, and MobileNet at alpha 0.25 both from
scratch and from ImageNet weights, on the embedded data set. The paper's networks began
with noisy images from the web; its data is not public. Its conclusion: MobileNet comes
close to Inception V3, of which only the costs are counted here.

On Stanford Dogs, which TFDS downloads:

    python -m experiments.fine_grained --dataset=stanford_dogs --data_dir=DIR \
        --epochs=100 --mobilenet_weights=FILE

Time, device and expected values of the committed records: experiments/results.
Source: arXiv 1704.04861, section 4.4 and Table 10.
"""

from pathlib import Path

import mobilenet_tf
from experiments.harness import Conclusion, Experiment, Network, Row
from experiments.harness.flags import FLAGS
from experiments.published.mobilenets import TABLE10
from mobilenet_tf.models import baselines

PAPER = ((1.0, 224), (0.75, 224), (1.0, 192), (0.75, 192))  # alpha, side
SMALL = {"alpha": 0.25, "rho": 1.0}


def mobilenet(alpha: float, side: int) -> Network:
    """The network of a row of the paper."""
    return Network(
        f"{alpha:g} MobileNet, rho {side * 7 // 224}/7",
        mobilenet_tf.build,
        {"alpha": alpha, "rho": side / 224},
    )


def rows() -> tuple[Row, ...]:
    """The paper's rows, and the pair that shows what transfer gives."""
    large = Network("Inception V3", baselines.inception_v3, {}, 299)
    scratch = Network("0.25 MobileNet, from scratch", mobilenet_tf.build, SMALL)
    transfer = Network(
        "0.25 MobileNet, from ImageNet weights",
        mobilenet_tf.build,
        SMALL,
        weights=Path(FLAGS.mobilenet_weights or "FILE of --mobilenet_weights"),
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


experiment = Experiment(
    name="fine_grained",
    title="MobileNets Table 10: fine-grained classification",
    rows=rows,
    conclusions=(
        Conclusion(
            "pre-training on ImageNet helps",
            lambda scratch, transfer: transfer > scratch,
            about="^0.25 MobileNet",
        ),
    ),
    paper_data="Stanford Dogs",
    remark="The printed mult-adds are those of 1000 classes, the parameters those of "
    "120; the last two rows are of 1000. Where the images are ImageNet's, as in "
    "Imagenette, the pre-trained weights have seen most of those that are evaluated.",
)

if __name__ == "__main__":
    experiment()
