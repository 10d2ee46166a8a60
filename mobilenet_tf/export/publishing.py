"""A file appears when it is proven equal to its model; report and card beside it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import keras

from mobilenet_tf.export import card, verification

FILES = (".tflite", ".onnx")


def check_path(path: str | os.PathLike, suffix: str = "") -> None:
    """Raise ValueError unless a file and what stands beside it can be written."""
    path = Path(path)  # without a slash at its end
    if suffix and path.suffix != suffix:
        raise ValueError(f"path must end in {suffix}, got {str(path)!r}")
    if not suffix and path.suffix in FILES:
        raise ValueError(f"path must be a folder's, got that of a file, {str(path)!r}")
    for end in ("", ".json", ".md"):
        if Path(f"{path}{end}").exists():
            raise ValueError(
                f"path must not exist yet, nor what stands beside it, got "
                f"{f'{path}{end}'!r}; delete it first"
            )


def publish(
    path: str | os.PathLike,
    model: keras.Model,
    labels: Sequence[str] | None,
    data: str | None,
    *,
    write: Callable[[Path], None],
    prove: Callable[[Path], verification.Report],
) -> verification.Report:
    """Write a file or folder, prove it, and let it appear.

    Args:
        path: Where it will stand; see `check_path`.
        model: The network that is exported.
        labels: Names of the classes for the model card; None without a classifier.
        data: What the weights were trained on, for the card.
        write: Writes the file to the path that it is given.
        prove: Compares that file with the model; raises if they differ.

    Returns:
        The parity report, which also stands in `{path}.json`; `{path}.md` is the card.

    Raises:
        ValueError: The proof fails; no file is left then.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        partial = folder / path.name
        write(partial)
        report = prove(partial)
        texts = {
            ".json": report.to_json(),
            ".md": card.render(model, path.name, labels, data, report),
        }
        for suffix, text in texts.items():
            partial.with_name(path.name + suffix).write_text(text)
        # The file itself comes last: where it is, its report is too.
        for suffix in (*texts, ""):
            os.replace(
                folder / (path.name + suffix), path.with_name(path.name + suffix)
            )
    finally:
        shutil.rmtree(folder)
    return report
