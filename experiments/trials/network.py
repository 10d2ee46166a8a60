"""What the rows of a table are: a network that we build beside a published row."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Callable
from pathlib import Path

import keras

from experiments.published.row import PublishedRow
from mobilenet_tf.analysis import cost
from mobilenet_tf.models import weight_loading
from mobilenet_tf.training.recipe import Recipe

_COSTS = {}  # of networks that are the same, in however many tables they stand


@dataclasses.dataclass(frozen=True, eq=False)
class Step:
    """What is done to a trained network: a step of compression.

    Args:
        function: Called as `function(model, data, recipe, **arguments, seed=...,
            snapshot_path=..., on_epoch=..., report=...)`; gives another model.
        arguments: Its settings in JSON-ready form.
        recipe: How the network is trained meanwhile.
    """

    function: Callable[..., keras.Model]
    arguments: dict
    recipe: Recipe

    @property
    def identity(self) -> dict:
        return {
            "function": self.function.__name__,
            "arguments": self.arguments,
            "recipe": self.recipe.facts,
        }


@dataclasses.dataclass(frozen=True, eq=False)
class Teacher:
    """Whose outputs a network is trained on.

    Args:
        network: The teacher; it is trained first, with the same recipe and seed 0.
        arguments: `temperature`, `weight` and `feature_weight` of
            `mobilenet_tf.training.distillation.distil`.
    """

    network: Network
    arguments: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, eq=False)
class Network:
    """A network of a table: a builder and its arguments, and how it is made.

    Args:
        label: Name of the row.
        build: Called with the arguments, `classes`, and the input side in pixels as
            `resolution`, where it has that, or `base_resolution`.
        arguments: Keyword arguments; functions among them are recorded by name.
        resolution: The paper's input side in pixels, at rho 1.
        weights: File of weights to begin with; its name stands in the records.
        teacher: Whose outputs it is trained on; None trains it on labels alone.
        steps: What is done after the training, one after the other.
    """

    label: str
    build: Callable[..., keras.Model]
    arguments: dict = dataclasses.field(default_factory=dict)
    resolution: int = 224
    weights: Path | None = None
    teacher: Teacher | None = None
    steps: tuple[Step, ...] = ()

    def model(
        self, classes: int = 1000, resolution: int | None = None, pretrained=False
    ) -> keras.Model:
        """Build it; the defaults are the paper's ImageNet setting.

        Args:
            classes: Number of classes.
            resolution: Input side in pixels at rho 1; None means the paper's.
            pretrained: Whether to load the weights that it begins with.
        """
        parameters = inspect.signature(self.build).parameters
        side = "resolution" if "resolution" in parameters else "base_resolution"
        changes = {side: resolution or self.resolution, "classes": classes}
        if pretrained and self.weights is not None:
            changes["weights"] = self.weights
        return self.build(**self.arguments, **changes)

    def costs(self, classes: int = 1000, resolution: int | None = None) -> dict:
        """Mult-adds, weights, and input side; also under the papers' other conventions.

        The others are: mult-adds of the convolutions alone, parameters with biases.
        Weights, teacher and steps change nothing about it.
        """
        built = self._built, classes, resolution or self.resolution
        key = json.dumps(built, sort_keys=True)
        if key not in _COSTS:
            _COSTS[key] = costs(self.model(classes, resolution))
        return _COSTS[key]

    def check(self, classes: int, resolution: int) -> None:
        """Raise ValueError if it cannot be built for a data set from its weights."""
        weight_loading.check(self.weights)
        self.costs(classes, resolution)
        if self.weights is not None:
            self.model(classes, resolution, pretrained=True)

    @property
    def identity(self) -> dict:
        """The builder and its arguments in JSON-ready form."""
        identity = self._built
        if self.weights is not None:
            identity["arguments"]["weights"] = self.weights.name
        if self.teacher is not None:
            network = self.teacher.network.identity
            identity["teacher"] = {"network": network, **self.teacher.arguments}
        if self.steps:
            identity["steps"] = [step.identity for step in self.steps]
        return identity

    @property
    def _built(self):
        arguments = {
            name: value.__name__ if callable(value) else json.loads(json.dumps(value))
            for name, value in self.arguments.items()
        }
        builder = f"{self.build.__module__}.{self.build.__name__}"
        return {"builder": builder, "arguments": arguments}

    @property
    def before(self) -> Network | None:
        """The network that must be trained before this one, if any."""
        if self.steps:
            return dataclasses.replace(self, steps=self.steps[:-1])
        return self.teacher.network if self.teacher else None

    @property
    def lineage(self) -> list[Network]:
        """This network and all that are trained before it."""
        return [self, *(self.before.lineage if self.before else ())]

    @property
    def slug(self) -> str:
        """Builder and arguments as part of a file name."""
        parts = [self.build.__name__]
        for name, value in self.identity["arguments"].items():
            if isinstance(value, float):
                parts.append(f"{name}{value:.3g}")
            elif isinstance(value, list):
                parts.append(f"{name}{len(value)}")
            else:
                parts.append(f"{name}_{value}")
        if self.teacher is not None:
            parts.append("distilled")
        parts += [step.function.__name__ for step in self.steps]
        return "-".join(parts)


def costs(model: keras.Model) -> dict:
    """What `Network.costs` says of a model."""
    return {
        "mult_adds": cost.mult_adds(model),
        "convolution_mult_adds": cost.mult_adds(model, include_classifier=False),
        "parameters": cost.parameters(model),
        "parameters_with_biases": cost.parameters(model, "slim"),
        "float32_bytes": 4 * model.count_params(),
        "side": model.input_shape[1],
    }


_NOTHING = PublishedRow("", "")


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of a table.

    Args:
        network: The network that we build.
        published: What the paper prints; nothing for a row that is only ours.
        trained: Whether the experiment trains it, or only counts its costs.
    """

    network: Network
    published: PublishedRow = _NOTHING
    trained: bool = True

    def cost(self, quantity: str) -> float:
        """A cost, counted as the paper counts this row: "mult_adds", "parameters"."""
        kind, classes = quantity, 1000
        if quantity == "parameters":
            classes = self.published.parameter_classes
            if self.published.includes_biases:
                kind = "parameters_with_biases"
        elif not self.published.includes_classifier:
            kind = "convolution_mult_adds"
        return self.network.costs(classes)[kind]


def select(row: Row, results: list[dict]) -> list[dict]:
    """The records of a row, in the order of their seeds.

    A row that is not trained has none, even if another table trains its network.
    """
    identity = row.network.identity if row.trained else None
    chosen = [record for record in results if record["network"] == identity]
    return sorted(chosen, key=lambda record: record["seed"])


def values(row: Row, results: list[dict], metric: str = "top1") -> list[float]:
    """A metric of a row, one value per seed."""
    return [record["metrics"][metric] for record in select(row, results)]
