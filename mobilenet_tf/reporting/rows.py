"""What the rows of a table are: a network that we build beside a published row."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import keras

from mobilenet_tf import cost
from mobilenet_tf.reporting.published import PublishedRow


@dataclasses.dataclass(frozen=True, eq=False)
class Network:
    """A network of a table: a builder and its arguments.

    Args:
        label: Name of the row.
        build: Called with the arguments, `classes` and `base_resolution`.
        arguments: Keyword arguments; functions among them are recorded by name.
    """

    label: str
    build: Callable[..., keras.Model]
    arguments: dict

    def model(self, classes: int = 1000, base_resolution: int = 224) -> keras.Model:
        """Build it; the defaults are the papers' ImageNet setting."""
        return self.build(
            **self.arguments, classes=classes, base_resolution=base_resolution
        )

    @functools.cache  # noqa: B019  the networks of a script live as long as it does
    def costs(self, classes: int = 1000, base_resolution: int = 224) -> dict:
        """Mult-adds, parameters and input side."""
        model = self.model(classes, base_resolution)
        return {
            "mult_adds": cost.mult_adds(model),
            "parameters": cost.parameters(model),
            "side": model.input_shape[1],
        }

    @property
    def identity(self) -> dict:
        """The builder and its arguments in JSON-ready form."""
        arguments = {
            name: value.__name__ if callable(value) else value
            for name, value in self.arguments.items()
        }
        return {
            "builder": f"{self.build.__module__}.{self.build.__name__}",
            "arguments": arguments,
        }

    @property
    def slug(self) -> str:
        """Builder and arguments as part of a file name."""
        values = (
            f"{name}{value:.3g}" if isinstance(value, float) else f"{name}_{value}"
            for name, value in self.identity["arguments"].items()
        )
        return "-".join([self.build.__name__, *values])


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of a table: the network that we build, and what the paper prints."""

    network: Network
    published: PublishedRow


def select(network: Network, results: list[dict]) -> list[dict]:
    """The records of a network, in the order of their seeds."""
    chosen = [record for record in results if record["network"] == network.identity]
    return sorted(chosen, key=lambda record: record["seed"])


def top1s(network: Network, results: list[dict]) -> list[float]:
    """Top-1 accuracy of a network, one value per seed."""
    return [record["metrics"]["top1"] for record in select(network, results)]
