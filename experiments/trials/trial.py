"""A trial: one network, recipe, data set and seed, trained once."""

from __future__ import annotations

import dataclasses
import functools

import keras

from experiments.trials.binding import digest
from experiments.trials.network import Network
from mobilenet_tf.training.recipe import Recipe

# What identifies a trial in a record; everything else in it is a result.
CONFIG = ("network", "recipe", "data", "seed", "precision")


@dataclasses.dataclass(frozen=True)
class Trial:
    """Everything that determines a trained model; equal trials are trained once.

    Args:
        network: What is trained.
        recipe: How it is trained.
        data: JSON-ready metadata of the data set, see `DataSet`.
        seed: Seed of initialisation, order and augmentation.
        precision: See `mobilenet_tf.training.clone.training_clone`; never "auto".
    """

    network: Network
    recipe: Recipe
    data: dict
    seed: int
    precision: str

    @property
    def config(self) -> dict:
        """The trial in JSON-ready form, as it stands in a record."""
        return {
            "network": self.network.config,
            "recipe": self.recipe.to_json(),
            "data": self.data,
            "seed": self.seed,
            "precision": self.precision,
        }

    @functools.cached_property
    def key(self) -> str:
        """Name of the trial's files: readable, and unique by the hash of `config`."""
        data = self.data["name"].replace("/", "_")
        readable = (self.network.slug, data, self.recipe.name, f"seed{self.seed}")
        return "-".join((*readable, digest(self.config)[:10]))

    @property
    def parent(self) -> Trial | None:
        """The trial that must be done first: before compression, or of the teacher."""
        network = self.network.parent
        if network is None:
            return None
        seed = self.seed if self.network.steps else 0
        return dataclasses.replace(self, network=network, seed=seed)

    @property
    def training_recipe(self) -> Recipe:
        """The recipe of what this trial adds: its last step, or its own training."""
        steps = self.network.steps
        if steps:
            return steps[-1].recipe
        return dataclasses.replace(self.recipe, **self.network.recipe_changes)

    def build(self) -> keras.Model:
        """The network for this data set, freshly initialised from the seed."""
        keras.utils.set_random_seed(self.seed)
        return self.network.model(*self._size, pretrained=True)

    @property
    def costs(self) -> dict[str, int]:
        """Mult-adds, parameters and input side of the network that is trained."""
        return self.network.costs(*self._size)

    @property
    def title(self) -> str:
        """A label for people: network, input side and seed."""
        return f"{self.network.label}, {self.costs['side']} px, seed {self.seed}"

    @property
    def _size(self):
        return len(self.data["class_names"]), self.data["base_resolution"]

    @property
    def work_per_epoch(self) -> float:
        """About proportional to the seconds that an epoch takes on a CPU.

        Depthwise convolutions and normalisation move memory rather than multiply:
        1,200 mult-adds per input pixel stand for them (fitted to measured speeds).
        """
        steps = self.training_recipe.side_steps
        scale = sum(step**2 for step in steps) / len(steps)
        per_image = self.costs["mult_adds"] + 1200 * self.costs["side"] ** 2
        images = self.data["train_size"]
        if few := self.network.images_per_class:
            images = min(images, few * len(self.data["class_names"]))
        return scale * per_image * images
