"""SqueezeNet Figure 3a: the squeeze ratio.

    python -m experiments.squeeze_ratio --recipe=plain

trains SqueezeNet with squeeze layers of 1/8 to all of the expand layers' filters on the
embedded data set, and draws accuracy over size. The paper's conclusion: accuracy rises
with the squeeze ratio and levels off at 0.75.

Time, device and expected values of the committed records: experiments/results.
Source: arXiv 1602.07360, section 5.2 and Figure 3a.
"""

from experiments.harness import Conclusion, Experiment, Network, Row
from experiments.published.squeezenet import FIGURE3A
from experiments.report.claims import levels_off, rising
from experiments.report.figures import accuracy_over_size
from mobilenet_tf import build_squeezenet

experiment = Experiment(
    name="squeeze_ratio",
    title="SqueezeNet Figure 3a: squeeze ratio",
    rows=tuple(
        Row(
            Network(
                f"squeeze ratio {ratio:g}",
                build_squeezenet,
                {"version": "1.0", "bypass": "none", "squeeze_ratio": ratio}
                if ratio != 0.125  # the default, which other tables train as well
                else {"version": "1.0", "bypass": "none"},
                resolution=227,
            ),
            published,
        )
        for ratio, published in FIGURE3A.items()
    ),
    costs=("size", "mult_adds"),
    metrics=("top1", "top5"),
    figures=(accuracy_over_size,),
    conclusions=(
        Conclusion(
            "accuracy rises with the squeeze ratio up to 0.75",
            rising,
            about=r" 0\.\d+$",
        ),
        Conclusion("accuracy levels off at 0.75", levels_off),
    ),
)

if __name__ == "__main__":
    experiment()
