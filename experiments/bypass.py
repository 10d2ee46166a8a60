"""SqueezeNet Table 3: bypass connections.

    python -m experiments.bypass --recipe=plain

trains SqueezeNet without bypass, with simple and with complex bypass, on the embedded
data set. The paper's conclusion: both help, and simple bypass more than complex.

On ImageNet, with the data prepared by TFDS:

    python -m experiments.bypass --dataset=imagenet2012 --data_dir=DIR \
        --recipe=plain --epochs=68 --base_resolution=227

Time, device and expected values of the committed records: experiments/results.
Source: arXiv 1602.07360, section 6 and Table 3.
"""

from experiments.harness import Conclusion, Experiment, Network, Row
from experiments.published.squeezenet import TABLE3
from experiments.report.figures import training_loss
from mobilenet_tf import build_squeezenet

experiment = Experiment(
    name="bypass",
    title="SqueezeNet Table 3: bypass connections",
    rows=tuple(
        Row(
            Network(
                published.label,
                build_squeezenet,
                {"version": "1.0", "bypass": bypass},
                resolution=227,
            ),
            published,
        )
        for bypass, published in TABLE3.items()
    ),
    costs=("size", "mult_adds"),
    metrics=("top1", "top5"),
    figures=(training_loss,),
    conclusions=(
        Conclusion("simple bypass helps", lambda none, simple, _: simple > none),
        Conclusion("complex bypass helps", lambda none, _, convolved: convolved > none),
        Conclusion(
            "simple bypass helps more than complex",
            lambda _, simple, convolved: simple > convolved,
        ),
    ),
)

if __name__ == "__main__":
    experiment()
