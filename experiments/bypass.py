"""SqueezeNet Table 3: bypass connections.

    python -m experiments.bypass --recipe=plain

Paper: arXiv 1602.07360, section 6 and Table 3.
Expected: simple and complex bypass both help, simple bypass more.
Time and accuracies of the committed records: experiments/results.

ImageNet, prepared by TFDS:

    python -m experiments.bypass --dataset=imagenet2012 --data_dir=DIR \
        --recipe=plain --epochs=68 --base_resolution=227
"""

from experiments.harness import Claim, Experiment, Network, Row, run
from experiments.published.squeezenet import TABLE3
from experiments.report.figures import training_loss
from mobilenet_tf import build_squeezenet

experiment = Experiment(
    name="bypass",
    title="SqueezeNet Table 3: bypass connections",
    rows=tuple(
        Row(
            Network(
                published.label, build_squeezenet, {"bypass": bypass}, resolution=227
            ),
            published,
        )
        for bypass, published in TABLE3.items()
    ),
    costs=("size", "mult_adds"),
    metrics=("top1", "top5"),
    figures=(training_loss,),
    claims=(
        Claim("simple bypass helps", lambda none, simple, _: simple.mean > none.mean),
        Claim(
            "complex bypass helps", lambda none, _, complex_: complex_.mean > none.mean
        ),
        Claim(
            "simple bypass helps more than complex",
            lambda _, simple, complex_: simple.mean > complex_.mean,
            reason="Complex bypasses add 1x1 convolutions, thus parameters; in a "
            "training as short as this one that may count for more than a path without "
            "any",
        ),
    ),
)

if __name__ == "__main__":
    run(experiment)
