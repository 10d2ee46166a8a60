"""Networks of the field by their names, and how they are trained."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

import keras

from experiments.harness import display
from experiments.sweep import grid
from experiments.sweep.progress import Schedule
from experiments.sweep.workdir import Workdir
from experiments.trials.network import Network
from experiments.trials.trial import Trial
from mobilenet_tf import build, build_squeezenet
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.training.recipe import Recipe
from mobilenet_tf.training.recipes import COMPRESS, FINE_TUNE, MODERN, PLAIN

# From ImageNet weights, few epochs suffice; SqueezeNet has no normalisation and does
# not learn at MobileNet's rates.
_FIRST = {
    "mobilenet": dataclasses.replace(
        FINE_TUNE, name="first", learning_rate=0.02, epochs=4
    ),
    "squeezenet": dataclasses.replace(
        PLAIN, name="first", learning_rate=2e-4, warmup_epochs=1, epochs=4
    ),
}
_FROM_SCRATCH = {"mobilenet": MODERN, "squeezenet": PLAIN}
_AGAIN = {
    "mobilenet": dataclasses.replace(COMPRESS, name="again", epochs=2),
    "squeezenet": dataclasses.replace(
        PLAIN, name="again", learning_rate=1e-4, warmup_epochs=0, epochs=2
    ),
}


@dataclasses.dataclass(frozen=True)
class FieldNetwork:
    """A network of the field.

    Attributes:
        network: How it is built.
        first: The recipe of the network in the field.
        again: The recipe of its updates.
    """

    network: Network
    first: Recipe
    again: Recipe

    def trial(self, data: DataSet) -> Trial:
        """The training of the network in the field."""
        metadata = data.metadata.to_json()
        return Trial(self.network, self.first, metadata, seed=0, precision="float32")

    def trained(self, data: DataSet, workdir: Workdir) -> keras.Model:
        """The network in the field, in float32; trained once for all updates."""
        trial = self.trial(data)
        if not workdir.usable(trial):
            workdir.record_path(trial).unlink(missing_ok=True)  # its model is lost
            with display.create(Schedule([trial], workdir)) as shown:
                grid.run([trial], data, workdir, "over_the_air", report=shown.show)
        return workdir.model(trial)


def parse(
    names: Sequence[str], epochs: int | None, update_epochs: int | None
) -> dict[str, FieldNetwork]:
    """Networks by their names.

    Args:
        names: "mobilenet_ALPHA" or "squeezenet_1.0", each with "=FILE" of ImageNet
            weights or without, as the flag `networks`.
        epochs: Epochs of the first training; None means those of its recipe.
        update_epochs: Epochs of an update; likewise.

    Raises:
        ValueError: A name has another form, or its file does not exist.
    """
    result = {}
    for text in names:
        name, _, file = text.partition("=")
        found = re.fullmatch(r"(mobilenet)_(\d+(?:\.\d+)?)|(squeezenet)_1\.0", name)
        if not found:
            raise ValueError(
                "networks must be of mobilenet_ALPHA[=FILE] and squeezenet_1.0[=FILE], "
                f"got {text!r}"
            )
        if file and not Path(file).is_file():
            raise ValueError(f"networks must name existing files, got {file!r}")
        kind = found[1] or found[3]
        weights = Path(file) if file else None
        if kind == "mobilenet":
            network = Network(name, build, {"alpha": float(found[2])}, weights=weights)
        else:
            network = Network(name, build_squeezenet, weights=weights)
        first = _FIRST[kind] if weights else _FROM_SCRATCH[kind]
        result[name] = FieldNetwork(
            network,
            first=_with_epochs(first, epochs),
            again=_with_epochs(_AGAIN[kind], update_epochs),
        )
    return result


def _with_epochs(recipe, epochs):
    if epochs is None:
        return recipe
    warmup = min(recipe.warmup_epochs, epochs - 1)
    return dataclasses.replace(recipe, epochs=epochs, warmup_epochs=warmup)
