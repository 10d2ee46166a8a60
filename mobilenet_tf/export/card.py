"""Model cards: description, costs, verification and accuracy of files."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any

from mobilenet_tf.analysis import cost
from mobilenet_tf.export.network import Network
from mobilenet_tf.export.verification import Verification

LICENSE = "apache-2.0"  # of the networks; Hugging Face's identifier
_LICENCE_TEXT = (
    "Weights carry the terms of the data that they were trained on; ImageNet's are for "
    "non-commercial research."
)
_IDENTIFIER = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)


@dataclasses.dataclass(frozen=True)
class Result:
    """A measured property of a network or file.

    Attributes:
        metric: Hugging Face's name of it, such as "accuracy".
        value: As a share of 1 where it is one.
        images: Which images it was measured on, such as "3,925 images of imagenette".
        subject: What was measured, such as "model.tflite".
    """

    metric: str
    value: float
    images: str
    subject: str


def render(
    network: Network,
    name: str,
    data_description: str | None,
    reports: Mapping[str, Verification],
    *,
    results: tuple[Result, ...] = (),
    license: str = LICENSE,
    usage: str = "",
) -> str:
    """Markdown with the metadata that Hugging Face reads.

    Args:
        network: What was exported.
        name: Name of the card.
        data_description: What the weights were trained on; None where not known.
        reports: What the verification of each file measured, by the file's name.
        results: What else was measured.
        license: Hugging Face's identifier of the licence.
        usage: Markdown on how the files are used.
    """
    model, labels = network.model, network.labels
    classes = f"{len(labels):,} classes" if labels else "features, no classifier"
    results += tuple(_results(reports))
    lines = [f"- `{file}`: {report}." for file, report in reports.items()]
    sections = [
        front_matter(metadata(network, name, data_description, results, license)),
        f"# {name}",
        f"`{model.name}`, {network.side} x {network.side} pixels, {classes}, "
        "by mobilenet_tf.",
        f"- Mult-adds per image: {cost.mult_adds(network.core):,}\n"
        f"- Parameters: {model.count_params():,}\n"
        f"- Trained on: {data_description or 'not stated by who exported it'}",
    ]
    if usage:
        sections.append(f"## Use\n\n{usage}")
    if reports:
        sections.append(
            "## Verification\n\nThe input of these files is RGB photographs from 0 to "
            "255; scaling is inside.\n\n" + "\n".join(lines) + "\n\nThe Keras model "
            "was called as its user calls it, the file as a device does."
        )
    memories = [report.memory for report in reports.values() if report.memory]
    sections += [
        *map(_memory, memories),
        f"## Accuracy\n\n{_accuracy(results)}",
        f"## Licence\n\nThe network: {license}. {_LICENCE_TEXT}",
    ]
    return "\n\n".join(sections) + "\n"


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


def metadata(
    network: Network,
    name: str,
    data_description: str | None,
    results: tuple[Result, ...],
    license: str,
) -> dict[str, Any]:
    """The card's metadata in Hugging Face's schema, ready for YAML or JSON."""
    values: dict[str, Any] = {
        "library_name": "keras",
        "pipeline_tag": "image-classification",
        "license": license,
        "tags": [network.model.name.partition("_")[0], "mobile"],
    }
    if network.head is None:
        values["pipeline_tag"] = "image-feature-extraction"
    # Hugging Face accepts names of data sets here, no descriptions.
    if data_description is not None and _IDENTIFIER.fullmatch(data_description):
        values["datasets"] = [data_description]
    if results:
        values["metrics"] = sorted({result.metric for result in results})
        values["model-index"] = [
            {
                "name": name,
                "results": [
                    {
                        "task": {"type": values["pipeline_tag"]},
                        "dataset": {"name": result.images, "type": "images"},
                        "metrics": [
                            {
                                "type": result.metric,
                                "value": round(result.value, 4),
                                "name": f"{result.metric} of {result.subject}",
                            }
                        ],
                    }
                    for result in results
                ],
            }
        ]
    return values


def front_matter(values: Mapping[str, Any]) -> str:
    """Metadata as YAML between `---`; a value of JSON is one of YAML."""
    lines = [
        f"{key}: {value}"
        if isinstance(value, str) and _IDENTIFIER.fullmatch(value)
        else f"{key}: {json.dumps(value)}"
        for key, value in values.items()
    ]
    return "\n".join(["---", *lines, "---"])


def _results(reports):
    for file, report in reports.items():
        if report.file_accuracy is not None:
            images = f"{report.images} {report.image_source}"
            yield Result("accuracy", report.file_accuracy, images, file)
            yield Result("accuracy", report.model_accuracy, images, "the Keras model")


def _accuracy(results):
    if not results:
        return "Not measured: no images with their true classes were given."
    lines = [
        f"- {result.metric} of {result.subject} on {result.images}: {result.value:.4f}"
        for result in results
    ]
    return "\n".join(lines) + (
        "\n\nOn images that a network was trained on, accuracy is higher than on new "
        "ones."
    )
