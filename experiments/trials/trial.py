"""A point: one network, recipe, data set and seed, trained once."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json

import keras

from experiments.trials.network import Network
from mobilenet_tf.training.recipe import Recipe


@dataclasses.dataclass(frozen=True)
class Point:
    """What determines a trained model; equal points are trained once.

    Args:
        network: What is trained.
        recipe: How.
        data_facts: On what: `DataSet.facts`.
        seed: Seed of initialisation, order and augmentation.
        precision: See `mobilenet_tf.training.clone.training_clone`.
    """

    network: Network
    recipe: Recipe
    data_facts: dict
    seed: int
    precision: str

    @property
    def identity(self) -> dict:
        return {
            "network": self.network.identity,
            "recipe": self.recipe.facts,
            "data": self.data_facts,
            "seed": self.seed,
            "precision": self.precision,
        }

    @functools.cached_property
    def key(self) -> str:
        """Name of the point's files: readable, and unique by a hash of its identity."""
        text = json.dumps(self.identity, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:10]
        data = self.data_facts["name"].replace("/", "_")
        names = (self.network.slug, data, self.recipe.name, f"seed{self.seed}", digest)
        return "-".join(names)

    @property
    def before(self) -> Point | None:
        """The point that must be trained before this one: it is changed, or teaches."""
        network = self.network.before
        if network is None:
            return None
        seed = self.seed if self.network.steps else 0
        return dataclasses.replace(self, network=network, seed=seed)

    @property
    def training_recipe(self) -> Recipe:
        """The recipe of this point's own training."""
        steps = self.network.steps
        return steps[-1].recipe if steps else self.recipe

    def build(self) -> keras.Model:
        """The network for this data set, freshly initialised from the seed."""
        keras.utils.set_random_seed(self.seed)
        return self.network.model(*self._size, pretrained=True)

    @property
    def costs(self) -> dict:
        """Mult-adds, parameters and input side of the network that is trained."""
        return self.network.costs(*self._size)

    @property
    def _size(self):
        facts = self.data_facts
        return len(facts["class_names"]), facts["base_resolution"]

    @property
    def work_per_epoch(self) -> float:
        """About proportional to the seconds that an epoch takes on a CPU.

        Depthwise convolutions and normalisation move memory rather than multiply:
        1,200 mult-adds per input pixel stand for them (fitted to measured speeds).
        """
        steps = self.training_recipe.side_steps
        scale = sum(step**2 for step in steps) / len(steps)
        per_image = self.costs["mult_adds"] + 1200 * self.costs["side"] ** 2
        return scale * per_image * self.data_facts["train_size"]
