"""Render every table and figure from the committed records.

    python -m experiments

writes them to `experiments/results`, with a page that shows them all, and into the
marked blocks of README.md and BUILD.md. Flags are those of the scripts.
"""

import importlib
import sys

from absl import app

from experiments.harness import flags
from experiments.harness.flags import FLAGS
from experiments.harness.page import Page, joined
from experiments.trials import records
from mobilenet_tf import arguments

# Rendering reads the committed records; the user's own working directory would mix in.
COMMON = (
    "--render",
    "--workdir=build/render",
    "--tables_dir=experiments/results",
    "--documents=README.md,BUILD.md",
)
PHOTOGRAPHS = ("--dataset=imagenette112",)
BFLOAT16 = "--precision=pointwise_bfloat16"  # of the 1x1 convolutions
MOBILENETS = (*PHOTOGRAPHS, BFLOAT16)
SQUEEZENETS = (*PHOTOGRAPHS, "--recipe=plain", "--precision=mixed_bfloat16")
# Smaller images where some networks cost several times as much as the others.
SMALLER = (*PHOTOGRAPHS, "--base_resolution=64")
SHORTER = (*SMALLER, "--epochs=20")  # and where there are many of them
DESIGN_SPACE = (*SMALLER, "--recipe=plain")

# Every table in the order of the papers: script, and the flags it was trained with.
TABLES = (
    ("body_architecture",),
    ("resource_per_layer_type",),
    ("convolution_cost",),
    ("full_convolution", *SHORTER, "--precision=mixed_bfloat16"),
    ("narrow_or_shallow", *MOBILENETS),
    ("width_multiplier", *MOBILENETS),
    ("width_multiplier", *MOBILENETS, "--recipe=paper"),
    ("width_multiplier", BFLOAT16),
    ("resolution_multiplier", *MOBILENETS),
    ("resolution_multiplier", BFLOAT16),
    ("accuracy_tradeoffs", *MOBILENETS),
    ("popular_models", *MOBILENETS),
    ("small_models", *PHOTOGRAPHS, "--recipe=gentle"),
    (
        "fine_grained",
        *PHOTOGRAPHS,
        "--recipe=gentle",
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
    ("compressed_mobilenets", *SHORTER, BFLOAT16),
    (
        "imagenet_checkpoints",
        *PHOTOGRAPHS,
        "--squeezenet_weights=squeezenet_v1.0_deep_compression.net",
        "--mobilenet_weights=mobilenet_0.25_128_keras_applications.weights.h5",
    ),
)

INTRODUCTION = """\
# Results

Every table and figure, rendered by `python -m experiments` from the records in this
folder, each with the command that trains and prints it; `DIR` is the folder of TFDS
data sets. A network of 0 seeds has not been trained yet; one with a dash there is only
counted."""


def render(script: str, *options: str) -> tuple[Page, str]:
    """The page of a script under its flags, and its section of the results page."""
    module = importlib.import_module(f"experiments.{script}")  # may define flags
    for name in FLAGS:
        FLAGS[name].unparse()
    FLAGS([script, *COMMON, *options, *sys.argv[1:]])
    page = module.experiment.page()
    command = ["python", "-m", f"experiments.{script}", *options]
    if options:
        command.insert(4, "--data_dir=DIR")
    images = [file.name for file in page.figures if file.suffix == ".png"]
    section = joined(
        f"## {page.title}",
        f"```\n{' '.join(command)}\n```",
        page.text,
        *(f"![{page.title}]({name})" for name in images),
        f"A repetition should find:\n\n{page.expected}" if page.expected else "",
    )
    return page, section


def main(command: list[str]) -> None:
    """Render everything; one page shows it all."""
    try:
        arguments.only_flags(command)
    except ValueError as error:
        sys.exit(f"experiments: error: {error}")
    sections = [INTRODUCTION]
    for script, *options in TABLES:
        page, section = render(script, *options)
        print(f"written: {page.write()}")
        sections.append(section)
    path = Page.folder() / "README.md"
    records.write_text(path, joined(*sections) + "\n")
    print(f"written: {path}")


if __name__ == "__main__":
    flags.define()
    app.run(main)
