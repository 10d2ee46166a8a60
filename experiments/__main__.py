"""Render every table and figure from the committed records.

    python -m experiments

writes a page and CSV files of each to `experiments/results`, with a list of them all,
and fills the marked blocks of README.md and BUILD.md. The flags are those of the
scripts. To add a table, add its script and flags to `TABLES`.
"""

import importlib
import sys

from absl import app
from absl.flags import FLAGS

from experiments.harness import Config, flags
from experiments.harness.page import Page, check_output, joined
from mobilenet_tf import arguments, files

# Rendering reads the committed records; the user's own working directory would mix in.
COMMON = (
    "--render",
    "--workdir=build/render",
    "--tables_dir=experiments/results",
    "--documents=README.md,BUILD.md",
)
PHOTOGRAPHS = ("--dataset=imagenette112",)
FLOAT32 = "--precision=float32"
BFLOAT16 = "--precision=pointwise_bfloat16"  # of the 1x1 convolutions
MOBILENETS = (*PHOTOGRAPHS, BFLOAT16)
SQUEEZENETS = (*PHOTOGRAPHS, "--recipe=plain", "--precision=mixed_bfloat16")
# Smaller images where some networks cost several times as much as the others.
SMALLER = (*PHOTOGRAPHS, "--base_resolution=64")
SHORTER = (*SMALLER, "--epochs=20")  # and where there are many of them
DESIGN_SPACE = (*SMALLER, "--recipe=plain", FLOAT32)
HUNDRED_CLASSES = (
    "--dataset=tinyimagenet100",
    "--base_resolution=64",
    "--recipe=few_epochs",
    FLOAT32,
)

# Every table in the order of the papers: script, and the flags it was trained with.
TABLES = (
    ("body_architecture",),
    ("resource_per_layer_type",),
    ("convolution_cost",),
    ("full_convolution", *SHORTER, "--precision=mixed_bfloat16"),
    ("narrow_or_shallow", *MOBILENETS),
    ("width_multiplier", *HUNDRED_CLASSES),
    ("width_multiplier", *MOBILENETS),
    ("width_multiplier", *MOBILENETS, "--recipe=paper"),
    ("width_multiplier",),
    ("resolution_multiplier", *HUNDRED_CLASSES),
    ("resolution_multiplier", *MOBILENETS),
    ("resolution_multiplier",),
    ("accuracy_tradeoffs", *HUNDRED_CLASSES),
    ("accuracy_tradeoffs", *MOBILENETS),
    ("popular_models", *MOBILENETS),
    ("small_models", *PHOTOGRAPHS, "--recipe=gentle", FLOAT32),
    (
        "fine_grained",
        *PHOTOGRAPHS,
        "--recipe=gentle",
        FLOAT32,
        "--only=^0.25",
        "--mobilenet_weights=mobilenet_0.25_128_keras_applications.weights.h5",
    ),
    ("applications",),
    ("squeezenet_dimensions",),
    ("bypass", *SQUEEZENETS),
    ("squeeze_ratio", *DESIGN_SPACE),
    ("expand_filters", *DESIGN_SPACE),
    ("deep_compression", *SQUEEZENETS),
    ("small_network_techniques", *SHORTER, BFLOAT16),
    ("distillation", *SHORTER, BFLOAT16),
    ("compressed_mobilenets", *SHORTER, FLOAT32),
    (
        "imagenet_checkpoints",
        *PHOTOGRAPHS,
        "--squeezenet_weights=squeezenet_v1.0_deep_compression.net",
        "--mobilenet_weights=mobilenet_0.25_128_keras_applications.weights.h5",
    ),
    ("microcontrollers",),
    ("over_the_air",),
    ("distributed_training",),
)

INTRODUCTION = """\
# Results

Every table and figure has a page, rendered by `python -m experiments` from the records
in this folder: the command that trains and prints it, the paper's numbers beside ours,
the conditions, and what a repetition should find. CSV files beside each page hold its
numbers. In a command, `DIR` is the folder of TFDS data sets. A network with 0 seeds is
not trained yet; for one with a dash only the costs are counted."""


def render(script: str, *options: str) -> tuple[list[Page], Config]:
    """The pages of a script, and their configuration.

    Args:
        script: Name of the module in `experiments`.
        options: The flags that its networks were trained with.
    """
    module = importlib.import_module(f"experiments.{script}")  # may define flags
    experiment = module.experiment
    for name in FLAGS:
        FLAGS[name].unparse()
    FLAGS([script, *COMMON, *options, *sys.argv[1:]])
    config = experiment.config.from_flags(FLAGS)
    check_output(config)
    return experiment.pages(config), config


def main(command: list[str]) -> None:
    """Render every table, and a list of them."""
    try:
        arguments.only_flags(command)
        entries = []
        for script, *options in TABLES:
            pages, config = render(script, *options)
            for page in pages:
                print(f"written: {page.write(config)[0]}", flush=True)
                entries.append(_entry(page))
    except (OSError, ValueError) as error:
        sys.exit(f"experiments: error: {flags.in_terms_of_flags(str(error))}")
    path = config.tables_folder / "README.md"
    files.write(path, joined(INTRODUCTION, "\n".join(entries)) + "\n")
    print(f"written: {path}")


def _entry(page):
    """A page in the list: its title, its data, and whether the claims hold."""
    setting = f" ({page.setting})" if page.setting else ""
    lines = [f"- [{page.title}]({page.name}.md){setting}"]
    return "\n".join([*lines, *(f"    - {sentence}" for sentence in page.claims)])


if __name__ == "__main__":
    flags.define()
    app.run(main)
