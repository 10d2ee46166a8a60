"""Model cards: description, costs, verification and accuracy of a file."""

from __future__ import annotations

import json

from mobilenet_tf.analysis import cost
from mobilenet_tf.export.network import Network
from mobilenet_tf.export.verification import Verification


def render(
    network: Network, name: str, data_description: str | None, report: Verification
) -> str:
    """Markdown with the metadata that Hugging Face reads.

    Args:
        network: What was exported.
        name: Name of the file.
        data_description: What the weights were trained on; None where not known.
        report: What the verification measured.
    """
    model, labels = network.model, network.labels
    classes = f"{len(labels):,} classes" if labels else "features, no classifier"
    sections = [
        _metadata(model, name, data_description, report),
        f"# {name}",
        f"`{model.name}`, {network.side} x {network.side} pixels, {classes}. "
        f"Exported as {report.format} by mobilenet_tf.",
        f"- Mult-adds per image: {cost.mult_adds(network.core):,}\n"
        f"- Parameters: {model.count_params():,}\n"
        "- Input: RGB photographs from 0 to 255; scaling is inside.\n"
        f"- Trained on: {data_description or 'not stated by who exported it'}",
        f"## Verification\n\n{report}.\n\nThe Keras model was called as its user calls "
        "it, the file as a device does.",
        f"## Accuracy\n\n{_accuracy(report)}",
        *([_memory(report.memory)] if report.memory else []),
        "## Licence\n\nApache 2.0 for the network. Weights carry the terms of the data "
        "that they were trained on; ImageNet's are for non-commercial research.",
    ]
    return "\n\n".join(sections) + "\n"


def _accuracy(report):
    if report.file_accuracy is None:
        return "Not measured: no images with their true classes were given."
    return (
        f"Top-1 on {report.images} {report.image_source}: "
        f"{100 * report.file_accuracy:.1f} % (the Keras model "
        f"{100 * report.model_accuracy:.1f} %). On images that a network was trained "
        "on, accuracy is higher than on new ones."
    )


def _memory(memory):
    return (
        "## On a microcontroller\n\n"
        f"- Arena: {memory.arena_bytes:,} bytes, confirmed by a run in exactly that "
        f"much memory; {memory.persistent_bytes:,} are persistent, "
        f"{memory.non_persistent_bytes:,} are shared by activations\n"
        f"- Flash: {memory.flash_bytes:,} bytes, without the program\n"
        f"- Operators to register: {', '.join(memory.operators)}\n"
        f"- Input: int8, pixels from 0 to 255 minus 128\n"
        f"- Measured with tflite-micro {memory.interpreter}, reference kernels, on a "
        "64-bit machine. Optimized kernels may allocate some memory more."
    )


def _metadata(model, name, data_description, report):
    lines = [
        "library_name: keras",
        "pipeline_tag: image-classification",
        "license: apache-2.0",
        "tags:",
        f"- {model.name.partition('_')[0]}",
        "- mobile",
    ]
    if data_description is not None:
        lines += ["datasets:", f"- {json.dumps(data_description)}"]
    if report.file_accuracy is not None:
        dataset = f"{report.images} {report.image_source}"
        lines += [
            "model-index:",
            f"- name: {json.dumps(name)}",
            "  results:",
            "  - task: {type: image-classification}",
            f"    dataset: {{name: {json.dumps(dataset)}, type: images}}",
            "    metrics:",
            f"    - {{type: accuracy, value: {report.file_accuracy:.4f}}}",
        ]
    return "\n".join(["---", *lines, "---"])
