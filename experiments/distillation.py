"""Distillation: small MobileNets trained on the outputs of a large one.

    python -m experiments.distillation

trains MobileNet 1.0 and three smaller ones on the embedded data set, each from labels
alone and from the large one's outputs and features, at the same number of epochs.

    python -m experiments.distillation --seeds=3 --only='^0.25 MobileNet, (labels|dist)'

tells what a teacher gives from what another seed gives. The paper's conclusion:
distillation trains small MobileNets well.

Time, device and expected values of the committed records: experiments/results.
Source: arXiv 1704.04861, sections 4.5 to 4.7; arXiv 1503.02531.
"""

import mobilenet_tf
from experiments.harness import Conclusion, Experiment, Network, Row, Teacher

TEACHER = Network("1 MobileNet", mobilenet_tf.build, {"alpha": 1.0, "rho": 1.0})
# The outputs of ten classes say little: from them alone a student gained a point or so.
DISTILLED = Teacher(TEACHER, {"temperature": 4.0, "weight": 0.9, "feature_weight": 4.0})
STUDENTS = {
    "0.5 MobileNet": {"alpha": 0.5, "rho": 1.0},
    "0.25 MobileNet": {"alpha": 0.25, "rho": 1.0},
    "0.25 MobileNet, rho 4/7": {"alpha": 0.25, "rho": 4 / 7},
}


def _pair(label, arguments):
    """A student from labels alone, and distilled."""
    return (
        Row(Network(f"{label}, labels", mobilenet_tf.build, arguments)),
        Row(
            Network(
                f"{label}, distilled",
                mobilenet_tf.build,
                arguments,
                teacher=DISTILLED,
            )
        ),
    )


experiment = Experiment(
    name="distillation",
    title="Distillation: students from labels and from a teacher",
    rows=(
        Row(TEACHER),
        *(row for student in STUDENTS.items() for row in _pair(*student)),
    ),
    conclusions=(
        Conclusion(
            "every distilled student is better than the same one trained from labels",
            lambda teacher, *students: all(
                distilled > alone
                for alone, distilled in zip(students[::2], students[1::2], strict=True)
            ),
        ),
        Conclusion(
            "at alpha 0.25 the distilled student is better by more than the spread of "
            "the seeds",
            lambda alone, distilled: (
                distilled - alone > max(alone.spread, distilled.spread)
            ),
            about="^0.25 MobileNet, (labels|distilled)$",
            seeds=3,
        ),
    ),
    paper_data=None,
    remark="The teacher is the first row. Loss: 0.9 of the divergence from its outputs "
    "at temperature 4, 0.1 of the labels, 4 times the distance from its features.",
)

if __name__ == "__main__":
    experiment()
