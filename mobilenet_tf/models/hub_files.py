"""Files on the Hugging Face Hub: `hf://USER/NAME` or `hf://USER/NAME@REVISION`.

Only Keras' own format and safetensors are downloaded; neither can hold code that runs
when it is read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from mobilenet_tf.packages import require

PREFIX = "hf://"
MODEL_FILE = "model.keras"  # what `mobilenet_tf.hub.push_to_hub` uploads
SAFETENSORS_FILE = "model.safetensors"  # what timm uploads
_NAME = re.compile(r"(?P<repo_id>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?", re.ASCII)


class HubName(NamedTuple):
    """A repository on the hub.

    Attributes:
        repo_id: `USER/NAME`.
        revision: Branch, tag or commit; None for the newest state of the main branch.
    """

    repo_id: str
    revision: str | None

    def __str__(self):
        return f"{PREFIX}{self.repo_id}" + (
            f"@{self.revision}" if self.revision else ""
        )


def is_hub_name(source: Any) -> TypeGuard[str]:
    """Whether a source is on the hub: `hf://...`, or `timm/...` unless it is a file."""
    if not isinstance(source, str):
        return False
    timm = source.startswith("timm/") and not Path(source).exists()
    return source.startswith(PREFIX) or timm


def parse(source: str) -> HubName:
    """The repository of `hf://USER/NAME@REVISION`; `hf://` may be left out.

    Raises:
        ValueError: It has another form.
    """
    match = _NAME.fullmatch(source.removeprefix(PREFIX))
    if match is None:
        raise ValueError(
            f"a network on the hub must be named {PREFIX}USER/NAME or "
            f"{PREFIX}USER/NAME@REVISION, got {source!r}"
        )
    return HubName(match["repo_id"], match["revision"])


def download(source: str, filenames: Sequence[str] = (MODEL_FILE,)) -> Path:
    """The first of some files that a repository has, in huggingface_hub's cache.

    `HF_HOME` chooses the cache; with `HF_HUB_OFFLINE=1` nothing is downloaded and the
    cache must have the file.

    Args:
        source: Name of the repository, see `parse`.
        filenames: Their names in the order of preference.

    Raises:
        ImportError: huggingface_hub is not installed.
        ValueError: The name has another form, there is no such repository or revision,
            or it has none of the files.
    """
    name = parse(source)
    hub, errors = require("huggingface_hub", "huggingface_hub.errors", extra="hub")
    for filename in filenames:
        try:
            return Path(
                hub.hf_hub_download(name.repo_id, filename, revision=name.revision)
            )
        except errors.EntryNotFoundError as error:
            missing = error
        except Exception as error:  # of the network, the disk, the hub
            raise ValueError(f"{name} cannot be downloaded: {error}") from error
    raise ValueError(
        f"{name} has no file {' or '.join(filenames)} that can be downloaded: {missing}"
    ) from missing


def download_weights(source: str) -> Path:
    """The weights of a network on the hub, a `.keras` or `.safetensors` file.

    Beside a `.safetensors` file stands timm's `config.json`, which has the input scale.

    Raises:
        ImportError: huggingface_hub is not installed.
        ValueError: They cannot be downloaded.
    """
    path = download(source, (MODEL_FILE, SAFETENSORS_FILE))
    if path.suffix == ".safetensors":
        commit = path.parent.name  # as the cache is laid out
        download(f"{parse(source).repo_id}@{commit}", ("config.json",))
    return path
