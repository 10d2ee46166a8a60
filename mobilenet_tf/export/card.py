"""A model card: what a file is, what it costs, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from mobilenet_tf import cost
from mobilenet_tf.export.parity import Report

_METADATA = """\
---
library_name: keras
pipeline_tag: image-classification
license: apache-2.0
tags:
- {architecture}
- mobile
---"""


def render(
    model: keras.Model, name: str, labels: Sequence[str] | None, report: Report
) -> str:
    """Markdown with the metadata that Hugging Face reads.

    Args:
        model: The network.
        name: Name of the file.
        labels: Names of the classes; None for a network without a classifier.
        report: The proof that file and model are equal.
    """
    architecture = model.name.partition("_")[0]
    side = model.input_shape[1]
    classes = f"{len(labels):,} classes" if labels else "features, no classifier"
    lines = [
        _METADATA.format(architecture=architecture),
        f"# {name}",
        f"`{model.name}`, {side} x {side} pixels, {classes}. "
        f"Exported as {report.format} by mobilenet_tf.",
        f"- Mult-adds per image: {cost.mult_adds(model):,}\n"
        f"- Parameters: {model.count_params():,}\n"
        "- Input: RGB photographs from 0 to 255; cropping and scaling are inside.",
        f"Parity: {report}.",
        "Accuracy depends on the weights and the data they were trained on; it is not "
        "part of this file. Weights of ImageNet carry ImageNet's terms of use.",
    ]
    return "\n\n".join(lines) + "\n"
