"""The interface between the steps and the bridge to the toolkit."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

Weights = dict[str, list[np.ndarray]]  # by the name of the layer, as Keras orders them


class Wrapping(Protocol):
    """How the toolkit wraps the layers of a network for one step.

    Attributes:
        stock_layers: Whether all layers must be of tf_keras' own classes.
    """

    stock_layers: bool

    def wrap(self, body: Any, steps: int) -> Any:
        """The wrapped copy of a tf_keras model, for a training of some steps."""

    def strip(self, body: Any) -> Weights:
        """The weights of each layer of a trained wrapped model."""
