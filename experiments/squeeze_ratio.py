"""SqueezeNet Figure 3a: the squeeze ratio.

    python -m experiments.squeeze_ratio --recipe=plain

Paper: arXiv 1602.07360, section 5.2 and Figure 3a. Squeeze layers with 1/8 to all of
the expand layers' filters.
Expected: accuracy rises with the squeeze ratio and levels off at 0.75.
Time and accuracies of the committed records: experiments/results.
"""

from experiments.harness import Claim, Experiment, Network, Row, run
from experiments.published.squeezenet import FIGURE3A
from experiments.report.claims import levels_off, rising
from experiments.report.figures import accuracy_over_size
from mobilenet_tf import build_squeezenet

ROWS = {
    ratio: Row(
        Network(
            f"squeeze ratio {ratio:g}",
            build_squeezenet,
            {"squeeze_ratio": ratio},
            resolution=227,
        ),
        published,
    )
    for ratio, published in FIGURE3A.items()
}

experiment = Experiment(
    name="squeeze_ratio",
    title="SqueezeNet Figure 3a: squeeze ratio",
    rows=tuple(ROWS.values()),
    costs=("size", "mult_adds"),
    metrics=("top1", "top5"),
    figures=(accuracy_over_size,),
    claims=(
        Claim(
            "accuracy rises with the squeeze ratio up to 0.75",
            rising,
            tuple(row for ratio, row in ROWS.items() if ratio <= 0.75),
        ),
        Claim("accuracy levels off at 0.75", levels_off),
    ),
)

if __name__ == "__main__":
    run(experiment)
