"""What a node must have before it trains: versions, and a data set that is not sent.

Imports nothing heavy.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.metadata
import platform
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from experiments.trials.binding import json_ready

if TYPE_CHECKING:  # at run time it would bring Keras
    from mobilenet_tf.data.dataset import DataSet


_PYTHON = "Python"


@dataclasses.dataclass(frozen=True)
class Source:
    """Where a node gets the data set that is not sent there.

    Args:
        load: Called with `config`; a function of a module.
        config: Hashable: a process loads equal ones once.
        metadata: JSON-ready metadata of the driver's data set.
    """

    load: Callable[[Any], DataSet]
    config: Hashable
    metadata: dict = dataclasses.field(compare=False)


@functools.lru_cache(maxsize=1)
def load(source: Source) -> DataSet:
    """The data set that a source gives; a process loads it once.

    Raises:
        ValueError: It is not the driver's.
    """
    data = source.load(source.config)
    if json_ready(data.metadata.to_json()) != source.metadata:
        raise ValueError(
            f"data set {source.metadata['name']} differs from that of the driver: "
            f"{data.describe()}"
        )
    return data


def describe(source: Source | None, packages: Iterable[str]) -> dict[str, str]:
    """The versions on this node; before that its data set is opened.

    Args:
        source: Gives the data set on a node; None where it is sent there.
        packages: Which versions are asked for, beside Python's.

    Raises:
        ValueError: The node lacks the data set, or has another one.
    """
    if source is not None:
        load(source)
    return versions(packages)


def differences(expected: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """What is found in other versions than expected, one text each."""
    return [
        f"{name} {found[name]} instead of {version}"
        for name, version in expected.items()
        if found[name] != version
    ]


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Versions of Python and of packages; "none" for those that are not installed."""
    found = {_PYTHON: platform.python_version().rpartition(".")[0]}
    for package in set(packages) - {_PYTHON}:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "none"
    return found
