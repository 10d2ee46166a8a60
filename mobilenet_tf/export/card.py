"""A model card: what a file is, what it costs, and how far it can be trusted."""

from __future__ import annotations

import json
from collections.abc import Sequence

import keras

from mobilenet_tf.analysis import cost
from mobilenet_tf.export.verification import Report


def render(
    model: keras.Model,
    name: str,
    labels: Sequence[str] | None,
    data: str | None,
    report: Report,
) -> str:
    """Markdown with the metadata that Hugging Face reads.

    Args:
        model: The network.
        name: Name of the file.
        labels: Names of the classes; None for a network without a classifier.
        data: What the weights were trained on; None means that the card does not know.
        report: The proof that file and model are equal.
    """
    side = model.input_shape[1]
    classes = f"{len(labels):,} classes" if labels else "features, no classifier"
    sections = [
        _metadata(model, name, data, report),
        f"# {name}",
        f"`{model.name}`, {side} x {side} pixels, {classes}. "
        f"Exported as {report.format} by mobilenet_tf.",
        f"- Mult-adds per image: {cost.mult_adds(model):,}\n"
        f"- Parameters: {model.count_params():,}\n"
        "- Input: RGB photographs from 0 to 255; scaling is inside.\n"
        f"- Trained on: {data or 'not stated by who exported it'}",
        f"## Parity\n\n{report}.",
        f"## Accuracy\n\n{_accuracy(report)}",
        "## Licence\n\nApache 2.0 for the network. Weights carry the terms of the data "
        "that they were trained on; ImageNet's are for non-commercial research.",
    ]
    return "\n\n".join(sections) + "\n"


def _accuracy(report):
    if report.file_accuracy is None:
        return "Not measured: the classes of the images above were not given."
    return (
        f"Top-1 of the file on the {report.images} images above: "
        f"{100 * report.file_accuracy:.1f} %; of the Keras model: "
        f"{100 * report.model_accuracy:.1f} %."
    )


def _metadata(model, name, data, report):
    lines = [
        "library_name: keras",
        "pipeline_tag: image-classification",
        "license: apache-2.0",
        "tags:",
        f"- {model.name.partition('_')[0]}",
        "- mobile",
    ]
    if data is not None:
        lines += ["datasets:", f"- {json.dumps(data)}"]
    if report.file_accuracy is not None:
        lines += [
            "model-index:",
            f"- name: {json.dumps(name)}",
            "  results:",
            "  - task: {type: image-classification}",
            "    dataset: {name: the images of the proof, type: images}",
            "    metrics:",
            f"    - {{type: accuracy, value: {report.file_accuracy:.4f}}}",
        ]
    return "\n".join(["---", *lines, "---"])
