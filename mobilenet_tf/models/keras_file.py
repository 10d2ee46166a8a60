"""Keras files that also hold what a network was trained on: names of classes and more.

A `.keras` file is a zip archive. `save_model` adds one member of JSON to it, which
Keras itself passes over, so that `keras.models.load_model` reads the file too.
"""

from __future__ import annotations

import dataclasses
import json
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from mobilenet_tf import files
from mobilenet_tf.files import archive
from mobilenet_tf.models import hub_files

MEMBER = "mobilenet_tf.json"
_ATTRIBUTE = "training_info"


@dataclasses.dataclass(frozen=True)
class TrainingInfo:
    """What a network was trained on.

    Attributes:
        class_names: Names of the classes in index order.
        data: Name and version of the data set.
        train_digests: SHA-256 of each training photograph's file, in hexadecimal
            digits; empty where the images were no files. They tell training
            photographs from others.
    """

    class_names: tuple[str, ...]
    data: str = ""
    train_digests: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, text: str | bytes) -> TrainingInfo:
        """Read what `to_json` wrote.

        Raises:
            ValueError: It is something else.
        """
        try:
            values = json.loads(text)
            names, digests = (values[key] for key in ("class_names", "train_digests"))
            if not all(isinstance(item, str) for item in (*names, *digests)):
                raise ValueError("names and digests must be strings")
            return cls(tuple(names), str(values["data"]), tuple(digests))
        except (KeyError, RecursionError, TypeError, ValueError) as error:
            raise ValueError(f"its {MEMBER} is damaged ({error})") from error

    def to_json(self) -> str:
        """As JSON."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False)


def training_info(model: keras.Model) -> TrainingInfo | None:
    """What a network was trained on, where `fit` or `load_model` has noted it."""
    return getattr(model, _ATTRIBUTE, None)


def set_training_info(model: keras.Model, info: TrainingInfo | None) -> None:
    """Note what a network was trained on; `save_model` writes it."""
    setattr(model, _ATTRIBUTE, info)


def class_names(model: keras.Model) -> tuple[str, ...] | None:
    """Names of a network's classes, where they are known."""
    info = training_info(model)
    return None if info is None else info.class_names


def train_digests(model: keras.Model | None) -> tuple[str, ...]:
    """SHA-256 of the photographs that a network was trained on, where known."""
    info = None if model is None else training_info(model)
    return () if info is None else info.train_digests


def check_class_names(model: keras.Model, names: Sequence[str]) -> None:
    """Raise ValueError where a network was trained on other classes than these.

    Args:
        model: A network; whose classes are not known is not checked.
        names: Names of the classes of a data set, in index order.
    """
    trained = class_names(model)
    if trained is not None and trained != tuple(names):
        raise ValueError(
            "the data set must have the classes that the model was trained on, in "
            f"order: {', '.join(trained)}; got {', '.join(names)}"
        )


def save_model(model: keras.Model, path: str | os.PathLike) -> None:
    """Write a `.keras` file with the names of the classes; it appears by rename.

    Args:
        model: A network; what `fit` noted of its training goes into the file.
        path: The file, which replaces what is there.

    Raises:
        ValueError: `path` does not end in `.keras`, or its folder does not exist.
    """
    path = Path(path)
    if path.suffix != ".keras" or not path.parent.is_dir():
        raise ValueError(
            f"path must end in .keras and be in an existing folder, got {str(path)!r}"
        )
    # In a folder of its own: Keras may put another temporary file beside it.
    with files.scratch_folder(path) as folder:
        partial = folder / path.name
        model.save(partial)
        info = training_info(model)
        if info is not None:
            with zipfile.ZipFile(partial, "a", zipfile.ZIP_DEFLATED) as members:
                members.writestr(MEMBER, info.to_json())
        files.rename(partial, path)


def load_model(path: str | os.PathLike) -> keras.Model:
    """Read a `.keras` file, with what it says of the training if `save_model` wrote it.

    Args:
        path: A file of `save_model` or of Keras; or `hf://USER/NAME`, or
            `hf://USER/NAME@REVISION` for a branch, a tag or a commit, the network of a
            repository on the Hugging Face Hub. It is not compiled.

    Raises:
        ImportError: The hub is named, and huggingface_hub is not installed.
        ValueError: There is no such file, it is damaged or of another format, or it
            holds code that Keras refuses to load.
    """
    source = path
    path = hub_files.download(path) if hub_files.is_hub_name(path) else Path(path)
    if path.suffix != ".keras" or not path.is_file():
        raise ValueError(f"path must be an existing .keras file, got {str(path)!r}")
    if not zipfile.is_zipfile(path):  # Keras calls such a file "not found"
        raise _unreadable(source, "it is no zip archive")
    try:
        archive.check(path)  # Keras itself passes over a wrong checksum
        text = archive.read(path, MEMBER)
        info = None if text is None else TrainingInfo.from_json(text)
    except ValueError as error:
        raise _unreadable(source, error) from error
    try:
        model = keras.models.load_model(path, compile=False)
    except Exception as error:  # what a strange configuration makes Keras raise
        raise _unreadable(source, error) from error
    if info is not None:
        set_training_info(model, info)
    return model


def _unreadable(source: str | os.PathLike, reason: Any) -> ValueError:
    return ValueError(
        f"model file {str(source)!r} cannot be read: {reason or type(reason).__name__}"
    )
