"""SqueezeNet Figure 3b: the share of 3x3 filters in the expand layers.

    python -m experiments.expand_filters --recipe=plain

Paper: arXiv 1602.07360, section 5.3 and Figure 3b. Squeeze ratio 0.5, with 1 to 75 % of
3x3 filters; of the other shares the costs are counted.
Expected: accuracy levels off at half of the filters.
Time and accuracies of the committed records: experiments/results.
"""

from experiments.harness import Claim, Experiment, Network, Row, run
from experiments.published.squeezenet import FIGURE3B
from experiments.report.claims import levels_off
from experiments.report.figures import accuracy_over_size
from mobilenet_tf import build_squeezenet

TRAINED = (0.01, 0.25, 0.5, 0.75)

experiment = Experiment(
    name="expand_filters",
    title="SqueezeNet Figure 3b: share of 3x3 filters",
    rows=tuple(
        Row(
            Network(
                f"{100 * share:g} % of 3x3 filters",
                build_squeezenet,
                {"squeeze_ratio": 0.5, "pct_3x3": share},
                resolution=227,
            ),
            published,
            trained=share in TRAINED,
        )
        for share, published in FIGURE3B.items()
    ),
    costs=("size", "mult_adds"),
    metrics=("top1", "top5"),
    figures=(accuracy_over_size,),
    claims=(
        Claim(
            "accuracy is lowest with 1 % of 3x3 filters",
            lambda fewest, *others: fewest.mean < min(row.mean for row in others),
        ),
        Claim("accuracy levels off at a half of 3x3 filters", levels_off),
    ),
)

if __name__ == "__main__":
    run(experiment)
