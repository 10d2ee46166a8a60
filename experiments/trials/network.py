"""A network of a table: a builder, its arguments, and how it is trained."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
from collections.abc import Callable
from pathlib import Path

import keras

from experiments.trials import settings
from experiments.trials.binding import (
    bound_arguments,
    changed_arguments,
    digest,
    function_name,
    json_ready,
)
from mobilenet_tf.analysis import cost
from mobilenet_tf.analysis.deferred import without_weights
from mobilenet_tf.compression import fine_tuning, steps
from mobilenet_tf.models import weight_loading
from mobilenet_tf.training.recipe import Recipe

_COSTS: dict[tuple, dict] = {}  # equal networks of all tables are counted once


@dataclasses.dataclass(frozen=True, eq=False)
class Step:
    """A compression step that follows the training of a network.

    Args:
        function: Called as `function(model, data, recipe, **arguments, seed=...,
            snapshot_path=..., on_epoch=...)`; returns the compressed model.
        arguments: Its settings in JSON-ready form.
        recipe: How the network is trained during the step.
    """

    function: Callable[..., keras.Model]
    arguments: dict
    recipe: Recipe

    def check(self) -> None:
        """Raise ImportError if a package is missing that the step or its record needs.

        The record holds the size of the codec's file.
        """
        importlib.import_module("mobilenet_tf.codec")
        if self.function in steps.TRAINED_BY_TOOLKIT:
            fine_tuning.toolkit()

    @property
    def config(self) -> dict:
        """The step in JSON-ready form, with the function's defaults applied."""
        name = self.function.__name__
        return {
            "function": name,
            "arguments": settings.bound(name, self.arguments),
            "recipe": self.recipe.to_json(),
        }


@dataclasses.dataclass(frozen=True, eq=False)
class Teacher:
    """The network whose outputs another one is trained on.

    Args:
        network: The teacher; it is trained first, with the same recipe and seed 0.
        arguments: `temperature`, `weight` and `feature_weight` of
            `mobilenet_tf.training.distillation.distil`.
    """

    network: Network
    arguments: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, eq=False)
class Network:
    """A builder with its arguments, and what happens to the network it builds.

    Two networks with the same `key` are the same network, whatever their labels.

    Args:
        label: What tables call it; for people only.
        build: Called with the arguments, `classes`, and the input side in pixels as
            `resolution` if it has that parameter, or else as `base_resolution`.
        arguments: Keyword arguments; functions among them are recorded by name.
        resolution: The paper's input side in pixels, at rho 1.
        weights: File of pre-trained weights; records hold its name.
        teacher: Trains it on a teacher's outputs; None trains it on the labels alone.
        recipe_changes: Settings of the table's recipe that are others for this network.
        images_per_class: Training images of each class, chosen by the seed; None
            trains on all.
        steps: Compression steps after the training, in order.
    """

    label: str
    build: Callable[..., keras.Model]
    arguments: dict = dataclasses.field(default_factory=dict)
    resolution: int = 224
    weights: Path | None = None
    teacher: Teacher | None = None
    recipe_changes: dict = dataclasses.field(default_factory=dict)
    images_per_class: int | None = None
    steps: tuple[Step, ...] = ()

    def model(
        self,
        classes: int = 1000,
        resolution: int | None = None,
        pretrained: bool = False,
    ) -> keras.Model:
        """Build the network; the defaults are the paper's ImageNet setting.

        Args:
            classes: Number of classes.
            resolution: Input side in pixels at rho 1; None means the paper's.
            pretrained: Whether to load the pre-trained weights.
        """
        parameters = inspect.signature(self.build).parameters
        side = "resolution" if "resolution" in parameters else "base_resolution"
        changes = {side: resolution or self.resolution, "classes": classes}
        if pretrained and self.weights is not None:
            changes["weights"] = self.weights
        return self.build(**self.arguments, **changes)

    def costs(self, classes: int = 1000, resolution: int | None = None) -> dict:
        """See `costs`; pre-trained weights and training do not change them.

        Args:
            classes: Number of classes.
            resolution: Input side in pixels at rho 1; None means the paper's.
        """
        untrained = Network(self.label, self.build, self.arguments, self.resolution)
        key = untrained.key, classes, resolution or self.resolution
        if key not in _COSTS:
            _COSTS[key] = without_weights(
                lambda: costs(untrained.model(classes, resolution))
            )
        return _COSTS[key]

    def check(self, classes: int, resolution: int) -> None:
        """Check that it can be built for a data set, from its weights, and compressed.

        Args:
            classes: Number of classes.
            resolution: Input side in pixels at rho 1.

        Raises:
            ValueError: It cannot be built.
            ImportError: A package is missing that a compression step needs.
        """
        for step in self.steps:
            step.check()
        weight_loading.check(self.weights)
        self.costs(classes, resolution)
        if self.weights is not None:
            self.model(classes, resolution, pretrained=True)

    @functools.cached_property
    def config(self) -> dict:
        """The network in JSON-ready form, with all defaults applied."""
        arguments = bound_arguments(self.build, self.arguments)
        if self.weights is not None:
            arguments["weights"] = self.weights.name
        config = {"builder": function_name(self.build), "arguments": arguments}
        if self.teacher is not None:
            teacher = self.teacher
            given = settings.bound("distil", teacher.arguments)
            config["teacher"] = {"network": teacher.network.config, **given}
        if self.recipe_changes:
            config["recipe_changes"] = json_ready(self.recipe_changes)
        if self.images_per_class is not None:
            config["images_per_class"] = self.images_per_class
        if self.steps:
            config["steps"] = [step.config for step in self.steps]
        return config

    @functools.cached_property
    def key(self) -> str:
        """Hash of `config`; records of the network have the same one."""
        return digest(self.config)

    @property
    def parent(self) -> Network | None:
        """The network that is trained first: before the last step, or the teacher."""
        if self.steps:
            return dataclasses.replace(self, steps=self.steps[:-1])
        return self.teacher.network if self.teacher else None

    @property
    def lineage(self) -> list[Network]:
        """This network and all that are trained before it."""
        return [self, *(self.parent.lineage if self.parent else ())]

    @property
    def uncompressed(self) -> Network:
        """The network before any compression step."""
        return dataclasses.replace(self, steps=())

    @property
    def slug(self) -> str:
        """Part of a file name: the builder and the arguments that are not defaults."""
        parts = [function_name(self.build).rpartition(".")[2]]
        changed = changed_arguments(self.build, self.arguments)
        if self.weights is not None:
            changed["weights"] = self.weights.name
        for name, value in changed.items():
            if isinstance(value, float):
                parts.append(f"{name}{value:.3g}")
            elif isinstance(value, list):
                parts.append(f"{name}{len(value)}")
            else:
                parts.append(f"{name}_{value}")
        if self.teacher is not None:
            parts.append("distilled")
        if self.recipe_changes:
            parts.append(f"recipe{len(self.recipe_changes)}")
        if self.images_per_class is not None:
            parts.append(f"images{self.images_per_class}")
        parts += [step.function.__name__ for step in self.steps]
        return "-".join(parts)


def costs(model: keras.Model) -> dict[str, int]:
    """Mult-adds, parameters, bytes and input side of a model.

    Mult-adds also without the classifier and parameters also with biases, as some
    tables of the papers count them.
    """
    return {
        "mult_adds": cost.mult_adds(model),
        "convolution_mult_adds": cost.mult_adds(model, include_classifier=False),
        "parameters": cost.parameters(model),
        "parameters_with_biases": cost.parameters(model, "slim"),
        "float32_bytes": 4 * model.count_params(),
        "side": model.input_shape[1],
    }
