"""The only bridge to the Model Optimization Toolkit, which takes tf_keras models alone.

A network crosses as its architecture and its weights, layer by layer, and comes back
the same way, with equal outputs. Nothing else imports tf_keras or the toolkit.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator

import keras
import tensorflow as tf

from mobilenet_tf.compression.kernels import parts
from mobilenet_tf.compression.tfmot.crossing import Crop, to_tf_keras
from mobilenet_tf.compression.tfmot.packages import tf_keras, tfmot
from mobilenet_tf.compression.tfmot.quantization import Quantization
from mobilenet_tf.compression.tfmot.wrappers import Clustering, KeptZeros, Pruning
from mobilenet_tf.compression.wrapping import Wrapping
from mobilenet_tf.training import loop
from mobilenet_tf.training.classifier import compile_for_training
from mobilenet_tf.training.recipe import Recipe

__all__ = ["Clustering", "Pruning", "Quantization", "Toolkit", "to_tf_keras"]

# The toolkit's layers take no decision in Python that depends on a tensor; AutoGraph,
# which looks for such decisions, takes longer than all the rest of their construction.
_without_autograph = tf.autograph.experimental.do_not_convert


class _Trained(tf_keras.Model):
    """A network that the toolkit has wrapped, traced as it was constructed."""

    train_step = _without_autograph(tf_keras.Model.train_step)


@dataclasses.dataclass
class Toolkit:
    """A `TrainingTask`: a network that the toolkit has wrapped, trained by tf_keras.

    Args:
        model: The network, flat; `finish` sets its weights.
        source: Side in pixels of the stored images.
        recipe: How to train.
        wrapping: How layers are wrapped.
        input_range: What the network expects of black and of white.
        left_out: Names of kernels that are not wrapped; their zeros stay zeros too.
    """

    model: keras.Model
    source: int
    recipe: Recipe
    wrapping: Wrapping
    input_range: tuple[float, float]
    left_out: Collection[str] = ()
    _made: dict = dataclasses.field(default_factory=dict, init=False)

    def check(self, steps_per_epoch: int) -> None:
        """Raise ValueError for a layer that the toolkit cannot train.

        What is wrapped to see it is trained first: wrapping takes seconds.
        """
        _, side = loop.stages(self.model, self.recipe)[0]
        self._made[side, steps_per_epoch] = self._wrapped(side, steps_per_epoch)

    @_without_autograph
    def _wrapped(self, side, steps_per_epoch):
        body = to_tf_keras(self.model, side, self.recipe, self.wrapping.stock_layers)
        return self.wrapping.wrap(body, self.recipe.epochs * steps_per_epoch)

    @_without_autograph
    def compiled(self, side: int | None, steps_per_epoch: int) -> tf_keras.Model:
        side = side or self.model.input_shape[1]
        body = self._made.pop((side, steps_per_epoch), None)
        if body is None:
            body = self._wrapped(side, steps_per_epoch)
        body._name = "body"
        images = tf_keras.Input((self.source, 3, self.source), dtype="uint8")
        boxes = tf_keras.Input((4,))
        crops = Crop(self.source, side, self.input_range)([images, boxes])
        trained = _Trained([images, boxes], body(crops))
        compile_for_training(trained, self.recipe, steps_per_epoch, tf_keras)
        return trained

    def batches(self, batches: Iterator, first_epoch: int) -> Iterator:
        return batches

    def callbacks(self, on_epoch_end: Callable[[int, dict], None]) -> list:
        # First those which write the zeros, the toolkit's at the end of an epoch.
        return [
            tfmot.sparsity.keras.UpdatePruningStep(),
            KeptZeros(self.model, self.left_out),
            tf_keras.callbacks.LambdaCallback(on_epoch_end=on_epoch_end),
        ]

    def finish(self, trained: tf_keras.Model) -> None:
        weights = self.wrapping.strip(trained.get_layer("body"))
        for layer in self.model.layers:
            arrays = [array for name in parts(layer) for array in weights.get(name, ())]
            layer.set_weights(arrays)  # raises where an array is missing
