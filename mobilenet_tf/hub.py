"""Upload of networks to the Hugging Face Hub, with a model card.

`mobilenet_tf.load_model` and `mobilenet_tf.build(weights=)` load them by name.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import keras

from mobilenet_tf import arguments
from mobilenet_tf.export import card
from mobilenet_tf.export.network import Network
from mobilenet_tf.export.publishing import FILE_SUFFIXES
from mobilenet_tf.export.verification import Verification
from mobilenet_tf.models import hub_files
from mobilenet_tf.models.hub_files import MODEL_FILE
from mobilenet_tf.models.keras_file import class_names, save_model
from mobilenet_tf.packages import require


def push_to_hub(
    model: keras.Model,
    repo_id: str,
    *,
    files: Sequence[str | os.PathLike] = (),
    labels: Sequence[str] | None = None,
    input_range: tuple[float, float] | None = None,
    data_description: str | None = None,
    metrics: Mapping[str, float] | None = None,
    measured_on: str | None = None,
    license: str = card.LICENSE,
    private: bool = False,
    commit_message: str = "Upload with mobilenet_tf",
) -> str:
    """Upload a network, its exported files and a model card, in one commit.

    The repository is created where it does not exist. It holds `model.keras`,
    `README.md`, and the exported files with the reports of their verification.
    huggingface_hub finds the user's token where `hf auth login` has left it, or in
    `HF_TOKEN`.

    Args:
        model: A functional or sequential Keras model from square RGB images to classes
            or features.
        repo_id: `USER/NAME`.
        files: `.tflite` and `.onnx` files that `mobilenet_tf.export` has written, with
            their reports beside them.
        labels: Names of the classes in index order; None means those that the model's
            training noted, else the WordNet ids for 1000 classes, else the numbers.
        input_range: The values that the model expects of black and of white; None reads
            them from its graph.
        data_description: What the weights were trained on; a name of a data set on the
            hub, such as "imagenet-1k", is linked.
        metrics: What was measured of the model, such as `{"accuracy": 0.91}`; see
            https://hf.co/metrics for names. Needs `measured_on`.
        measured_on: Which images, such as "500 photographs, not trained on".
        license: Hugging Face's identifier of the licence.
        private: Whether a repository that is created is private.
        commit_message: Of the commit.

    Returns:
        The commit, `hf://USER/NAME@COMMIT`, which loads exactly this network.

    Raises:
        ImportError: huggingface_hub is not installed.
        ValueError: An argument does not fit; nothing has been uploaded.
        OSError: The hub cannot be reached or refuses (`HfHubHTTPError`).
    """
    name = hub_files.parse(repo_id)
    if name.revision is not None:
        raise ValueError(f"repo_id must have no revision, got {repo_id!r}")
    for argument, value in (("license", license), ("commit_message", commit_message)):
        if not isinstance(value, str) or not value:
            raise ValueError(f"{argument} must be a non-empty string, got {value!r}")
    results = _results(metrics, measured_on)
    network = Network.of(model, labels or class_names(model), input_range)
    reports = {Path(file).name: _report(file) for file in files}
    if len(reports) != len(files):
        raise ValueError(f"files must have different names, got {list(files)}")
    (hub,) = require("huggingface_hub", extra="hub")
    text = card.render(
        network,
        name.repo_id.partition("/")[2],
        data_description,
        reports,
        results=results,
        license=license,
        usage=_usage(name, network),
    )
    hub.ModelCard(text)  # raises ValueError where the metadata is not in its schema
    with tempfile.TemporaryDirectory() as folder:
        keras_file = Path(folder) / MODEL_FILE
        save_model(model, keras_file)
        contents: dict[str, Path | bytes] = {
            MODEL_FILE: keras_file,
            "README.md": text.encode(),
        }
        for file in map(Path, files):
            contents[file.name] = file
            contents[f"{file.name}.json"] = Path(f"{file}.json")
        api = hub.HfApi()
        api.create_repo(name.repo_id, private=private, exist_ok=True)
        commit = api.create_commit(
            name.repo_id,
            [hub.CommitOperationAdd(path, data) for path, data in contents.items()],
            commit_message=commit_message,
        )
    return str(name._replace(revision=commit.oid))


def _results(metrics, measured_on):
    if (metrics is None) != (measured_on is None):
        raise ValueError(
            f"metrics and measured_on need each other, got metrics={metrics!r}, "
            f"measured_on={measured_on!r}"
        )
    for metric, value in (metrics or {}).items():
        arguments.number(f"metrics[{metric!r}]", value, lambda _: True, "")
    return tuple(
        card.Result(metric, float(value), measured_on, "the Keras model")
        for metric, value in (metrics or {}).items()
    )


def _report(file):
    """The verification of an exported file."""
    path, report = Path(file), Path(f"{file}.json")
    if path.suffix not in FILE_SUFFIXES or not path.is_file() or not report.is_file():
        raise ValueError(
            f"files must be {' or '.join(FILE_SUFFIXES)} files of mobilenet_tf.export, "
            f"with their reports beside them, got {str(file)!r}"
        )
    try:
        return Verification.from_json(report.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{str(report)!r} cannot be read: {error}") from error


def _usage(name, network):
    low, high = network.input_range
    return (
        "```python\n"
        "import mobilenet_tf\n\n"
        f'model = mobilenet_tf.load_model("{name}")\n'
        "```\n\n"
        f"`{MODEL_FILE}` is a Keras file; its input is RGB images with values from "
        f"{low:g} (black) to {high:g} (white)."
    )
