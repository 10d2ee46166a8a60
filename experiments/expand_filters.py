"""SqueezeNet Figure 3b: the share of 3x3 filters in the expand layers.

    python -m experiments.expand_filters --recipe=plain

trains SqueezeNet at squeeze ratio 0.5 with 1 to 75 % of 3x3 filters on the embedded
data set, and draws accuracy over size. The paper's conclusion: accuracy levels off at
half of the filters.

Time, device and expected values of the committed records: experiments/results.
Source: arXiv 1602.07360, section 5.3 and Figure 3b.
"""

from experiments.harness import Conclusion, Experiment, Network, Row
from experiments.published.squeezenet import FIGURE3B
from experiments.report.claims import levels_off
from experiments.report.figures import accuracy_over_size
from mobilenet_tf import build_squeezenet

TRAINED = (0.01, 0.25, 0.5, 0.75)


def arguments(share: float) -> dict:
    """Half is the default; so that point is one with Figure 3a's."""
    plain = {"version": "1.0", "bypass": "none", "squeeze_ratio": 0.5}
    return plain if share == 0.5 else {**plain, "pct_3x3": share}


experiment = Experiment(
    name="expand_filters",
    title="SqueezeNet Figure 3b: share of 3x3 filters",
    rows=tuple(
        Row(
            Network(
                f"{100 * share:g} % of 3x3 filters",
                build_squeezenet,
                arguments(share),
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
    conclusions=(
        Conclusion(
            "accuracy is lowest with 1 % of 3x3 filters",
            lambda one, *more: one < min(more),
        ),
        Conclusion("accuracy levels off at a half of 3x3 filters", levels_off),
    ),
)

if __name__ == "__main__":
    experiment()
