"""Publishing a verified file, with its report and model card beside it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from mobilenet_tf import files as disk
from mobilenet_tf.export import card, verification
from mobilenet_tf.export.options import Prepared
from mobilenet_tf.export.verification import Memory, Verification

FILE_SUFFIXES = (".tflite", ".onnx")


def check_path(
    path: str | os.PathLike, suffix: str = "", beside: Sequence[str] = ()
) -> None:
    """Raise ValueError unless a file, its report and its card can be written.

    Args:
        path: Of the file, or of the folder of a SavedModel.
        suffix: What it must end in; "" for a folder.
        beside: Names of further files that will stand beside it.
    """
    path = Path(path)  # without a slash at its end
    if suffix and path.suffix != suffix:
        raise ValueError(f"path must end in {suffix}, got {str(path)!r}")
    if not suffix and path.suffix in FILE_SUFFIXES:
        raise ValueError(f"SavedModel path must be a directory, got {str(path)!r}")
    own = [Path(f"{path}{end}") for end in ("", ".json", ".md")]
    for file in (*own, *map(path.with_name, beside)):
        if file.exists():
            what = "report and card" if file in own else "the other files"
            raise ValueError(
                f"path must not exist yet, nor {what} beside it, got {str(file)!r}; "
                "delete it first"
            )


def publish(
    path: str | os.PathLike,
    prepared: Prepared,
    *,
    format_name: str,
    pixels: np.ndarray,
    write: Callable[[Path], object],
    run: Callable[[Path], np.ndarray],
    tolerance: float | None,
    min_agreement: float = 0.0,
    files: Mapping[str, str] | None = None,
    memory: Memory | None = None,
) -> Verification:
    """Write a file or folder, verify it, and move it to its path.

    Args:
        path: Its final path; see `check_path`.
        prepared: What is exported, and the images that it is verified on.
        format_name: The file's format, for the report.
        pixels: The images as the Keras model sees them, from 0 to 255.
        write: Writes the file to a path.
        run: The outputs of that file for the images, as a device computes them.
        tolerance: See `verification.compare`.
        min_agreement: See `verification.compare`.
        files: Text of further files by name, which will stand beside it.
        memory: What the file needs on a microcontroller, for report and card.

    Returns:
        The report, which is also written to `{path}.json`; `{path}.md` is the card.

    Raises:
        ValueError: The verification fails; no file is left then.
    """
    path, network = Path(path), prepared.network
    disk.make_folder(path.parent)
    with disk.scratch_folder(path) as folder:
        partial = folder / path.name
        write(partial)
        report = verification.compare(
            format_name,
            prepared.examples,
            verification.model_outputs(network.model, network.input_range, pixels),
            run(partial),
            classifies=network.head is not None,
            tolerance=tolerance,
            min_agreement=min_agreement,
            zero_weights=network.zero_weights,
        )
        report = dataclasses.replace(report, memory=memory)
        texts = {
            **(files or {}),
            f"{path.name}.json": report.to_json(),
            f"{path.name}.md": card.render(
                network, path.name, prepared.data_description, {path.name: report}
            ),
        }
        for name, text in texts.items():
            partial.with_name(name).write_text(text, encoding="utf-8")
        # The file itself comes last: where it is, its report is too.
        for name in (*texts, path.name):
            disk.rename(folder / name, path.with_name(name))
    return report
