"""What trains small networks better: each technique alone, at equal epochs.

    python -m experiments.training_recipes

MobileNet 1 and 0.25 with one setting of the recipe changed at a time. The sources:
averaged weights, Keras' `use_ema`; mirroring in turn, arXiv 2404.00498; mixup, arXiv
1710.09412; CutMix, arXiv 1905.04899; a patient teacher, arXiv 2106.05237; the norm of
depthwise filters and classes spread evenly, `python -m benchmarks.short_recipe`.
Longer schedules are the same command with more `--epochs`.
Expected: augmentation and a teacher pay more the longer the schedule is.
Time and accuracies of the committed records: experiments/results.
"""

import mobilenet_tf
from experiments.harness import Claim, Experiment, Network, Row, Teacher, run
from experiments.report.claims import rising

# The outputs alone, so that they can be kept: no features.
PATIENT = Teacher(
    Network("1 MobileNet", mobilenet_tf.build), {"temperature": 4.0, "weight": 0.9}
)
TECHNIQUES = {
    "baseline": {},
    "averaged weights": {"recipe_changes": {"ema_momentum": 0.998}},
    "depthwise filters of norm 3": {"recipe_changes": {"depthwise_norm": 3.0}},
    "classes spread evenly": {"recipe_changes": {"stratified": True}},
    "mirrored in turn": {"recipe_changes": {"flip": "alternating"}},
    "mixup": {"recipe_changes": {"mixup": 0.2}},
    "CutMix": {"recipe_changes": {"cutmix": 1.0}},
    "mixup or CutMix": {"recipe_changes": {"mixup": 0.2, "cutmix": 1.0}},
    "patient teacher": {"teacher": PATIENT},
    "patient teacher and mixup": {
        "teacher": PATIENT,
        "recipe_changes": {"mixup": 0.2},
    },
}
ALPHAS = (1, 0.25)


def row(alpha: float, technique: str) -> Row:
    """MobileNet of one width, trained with one technique."""
    return Row(
        Network(
            f"{alpha:g} MobileNet, {technique}",
            mobilenet_tf.build,
            {"alpha": float(alpha)},
            **TECHNIQUES[technique],
        )
    )


ROWS = {
    (alpha, technique): row(alpha, technique)
    for alpha in ALPHAS
    for technique in TECHNIQUES
}

experiment = Experiment(
    name="training_recipes",
    title="Training recipes: each technique alone, at equal epochs",
    rows=tuple(ROWS.values()),
    costs=(),
    claims=tuple(
        Claim(
            f"with {technique} accuracy is above the baseline at alpha {alpha:g}",
            rising,
            (ROWS[alpha, "baseline"], ROWS[alpha, technique]),
        )
        for alpha, technique in ROWS
        if technique != "baseline"
    ),
    paper_data=None,
    remark="The teacher is MobileNet 1 of the baseline, at alpha 1 the same network as "
    "its student. Stochastic depth is not tried: MobileNets have no residual "
    "connections that could bridge a layer.",
)

if __name__ == "__main__":
    run(experiment)
