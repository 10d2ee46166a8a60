"""An experiment of two tiny networks, run by the tests as a script of its own."""

import os
import sys

if os.environ.get("WITHOUT_TENSORFLOW"):
    sys.modules["tensorflow"] = sys.modules["tensorflow_datasets"] = None

import mobilenet_tf
from experiments.harness import Claim, Experiment, Network, Row, run
from experiments.published.mobilenets import TABLE6
from experiments.report.claims import falling


def tiny(alpha=1.0, *, classes=1000, base_resolution=224):
    """A MobileNet of two blocks."""
    return mobilenet_tf.build(
        alpha,
        classes=classes,
        base_resolution=base_resolution,
        dropout=0.2,
        blocks=((64, 2), (128, 2)),
    )


experiment = Experiment(
    name="tiny",
    title="Tiny",
    rows=tuple(
        Row(Network(f"{alpha:g}", tiny, {"alpha": alpha}), TABLE6[alpha])
        for alpha in (0.5, 0.25)
    ),
    claims=(Claim("accuracy falls with alpha", falling),),
)

if __name__ == "__main__":
    # Records name the builder as they do where this module is imported.
    import tiny_experiment

    run(tiny_experiment.experiment)
