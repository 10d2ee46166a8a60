"""Distillation: small MobileNets trained on the outputs of a large one.

    python -m experiments.distillation

Papers: arXiv 1704.04861, sections 4.5 to 4.7; arXiv 1503.02531. MobileNet 1.0 is the
teacher; three smaller ones are trained for as many epochs, each on the labels alone and
on the teacher's outputs and features.
Expected: distillation helps small networks.
Time and accuracies of the committed records: experiments/results.

Whether the gain exceeds the spread over seeds:

    python -m experiments.distillation --seeds=3 --only='^0.25 MobileNet, (labels|dist)'
"""

import mobilenet_tf
from experiments.harness import Claim, Experiment, Network, Row, Teacher, run
from experiments.report.claims import Measured, rising

TEACHER = Network("1 MobileNet", mobilenet_tf.build)
# The outputs of ten classes say little: from them alone a student gained a point or so.
DISTILLED = Teacher(TEACHER, {"temperature": 4.0, "weight": 0.9, "feature_weight": 4.0})
STUDENTS = {
    "0.5 MobileNet": {"alpha": 0.5},
    "0.25 MobileNet": {"alpha": 0.25},
    "0.25 MobileNet, rho 4/7": {"alpha": 0.25, "rho": 4 / 7},
}


def pair(label: str, arguments: dict) -> tuple[Row, Row]:
    """A student from the labels alone, and the same one distilled."""
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


PAIRS = {label: pair(label, arguments) for label, arguments in STUDENTS.items()}


def all_gain(teacher: Measured, *students: Measured) -> bool:
    """Whether every distilled student is better than the same one without a teacher."""
    return all(map(rising, students[::2], students[1::2]))


def gains_more_than_spread(alone: Measured, distilled: Measured) -> bool:
    """Whether distillation gains more than the standard deviation over the seeds."""
    return distilled.mean - alone.mean > max(alone.spread, distilled.spread)


experiment = Experiment(
    name="distillation",
    title="Distillation: students from labels and from a teacher",
    rows=(Row(TEACHER), *(row for rows in PAIRS.values() for row in rows)),
    claims=(
        Claim(
            "every distilled student is better than the same one trained from labels",
            all_gain,
        ),
        Claim(
            "at alpha 0.25 the distilled student is better by more than the spread of "
            "the seeds",
            gains_more_than_spread,
            PAIRS["0.25 MobileNet"],
            seeds=3,
        ),
    ),
    paper_data=None,
    remark="The teacher is the first row. Loss: 0.9 of the divergence from its outputs "
    "at temperature 4, 0.1 of the labels, 4 times the distance from its features.",
)

if __name__ == "__main__":
    run(experiment)
