"""MobileNets Table 10: fine-tuning against training from scratch.

    python -m experiments.learning_curves --mobilenet_weights=FILE,FILE

Paper: arXiv 1704.04861, section 4.4. A published network, fine-tuned with the recipe
`fine_tune`, beside the same network from scratch with `modern`, on 10, 50, 200 and all
images of each class. Both are trained for as many epochs, more of them where there are
fewer images; the validation images are the same everywhere. The name of a weights file
says alpha and side, as in `mobilenet_0.25_128_keras_applications.weights.h5`.
Expected: the fewer images, the more the published weights gain.
Time and accuracies of the committed records: experiments/results.
"""

import dataclasses
import itertools
import re
from collections.abc import Sequence
from pathlib import Path

import mobilenet_tf
from experiments.harness import Claim, Config, Experiment, Network, Row, run
from experiments.report.claims import Measured, rising
from experiments.report.figures import accuracy_over_images
from mobilenet_tf.training.recipe import Recipe
from mobilenet_tf.training.recipes import FINE_TUNE, MODERN

# Epochs for so many images of each class; None stands for all of them.
EPOCHS = {10: 200, 50: 100, 200: 50, None: 20}
# What the two recipes differ in: each network has its own, whatever --recipe says.
_DIFFERENT = [
    field.name
    for field in dataclasses.fields(Recipe)
    if field.name not in ("name", "epochs")
    and getattr(MODERN, field.name) != getattr(FINE_TUNE, field.name)
]


def amount(images: int | None) -> str:
    """So many images of each class, in words."""
    return f"{images} images a class" if images else "all images"


def network(path: Path, images: int | None, published: bool) -> Network:
    """The network of a weights file on so many images of each class."""
    match = re.search(r"mobilenet_([\d.]+)_(\d+)_", path.name)
    alpha, side = (float(match[1]), int(match[2])) if match else (0.25, 128)
    recipe = FINE_TUNE if published else MODERN
    settings = {name: getattr(recipe, name) for name in _DIFFERENT}
    training = "fine-tuned" if published else "scratch"
    return Network(
        f"{alpha:g} MobileNet, {training}, {amount(images)}",
        mobilenet_tf.build,
        {"alpha": alpha},
        side,
        weights=path if published else None,
        recipe_changes={**settings, "epochs": EPOCHS[images]},
        images_per_class=images,
    )


def rows(config: Config) -> tuple[Row, ...]:
    """For each file, fine-tuned and from scratch in turn, from few images to all."""
    return tuple(
        Row(network(Path(path), images, published))
        for path in config.mobilenet_weights or ("FILE of --mobilenet_weights",)
        for images in EPOCHS
        for published in (True, False)
    )


def gains_less_each_time(*rows: Measured) -> bool:
    """Whether the gain of the published weights falls as the images become more."""
    published, scratch = rows[::2], rows[1::2]
    gains = [
        tuned.mean - own.mean for tuned, own in zip(published, scratch, strict=True)
    ]
    return all(fewer > more for fewer, more in itertools.pairwise(gains))


def claims(rows: Sequence[Row]) -> tuple[Claim, ...]:
    """That the published weights help, and help more the fewer images there are."""
    of_one = 2 * len(EPOCHS)
    files = [rows[start : start + of_one] for start in range(0, len(rows), of_one)]
    return tuple(claim for curves in files for claim in _claims_of_one(curves))


def _claims_of_one(curves):
    """The claims about the two curves of a weights file."""
    alpha = f"{curves[0].network.arguments['alpha']:g}"
    helps = [
        Claim(
            f"the published weights of {alpha} MobileNet help with {amount(images)}",
            rising,
            (own, tuned),
        )
        for images, tuned, own in zip(EPOCHS, curves[::2], curves[1::2], strict=True)
    ]
    less = f"those of {alpha} MobileNet help less the more images there are"
    return (*helps, Claim(less, gains_less_each_time, tuple(curves)))


experiment = Experiment(
    name="learning_curves",
    title="MobileNets Table 10: fine-tuning at several sizes of data",
    rows=rows,
    costs=(),
    figures=(accuracy_over_images,),
    claims=claims,
    paper_data=None,
    remark="Epochs: 200 for 10 images a class, 100 for 50, 50 for 200, 20 for all. "
    "Where the images are ImageNet's, as in Imagenette, the published weights have "
    "seen most of those that are evaluated.",
)

if __name__ == "__main__":
    run(experiment)
