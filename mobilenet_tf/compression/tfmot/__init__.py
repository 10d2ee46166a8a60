"""The one bridge to the Model Optimization Toolkit, which takes tf_keras models alone.

A network crosses as the text of its architecture and its weights, layer by layer, and
comes back the same way, with equal outputs. Nothing else imports tf_keras or the
toolkit.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection

import keras

from mobilenet_tf.compression.kernels import parts
from mobilenet_tf.compression.tfmot.crossing import Crop, to_tf_keras
from mobilenet_tf.compression.tfmot.packages import tf_keras, tfmot
from mobilenet_tf.compression.tfmot.quantization import quantize
from mobilenet_tf.compression.tfmot.wrappers import KeptZeros, Weights, cluster, prune
from mobilenet_tf.compression.tuning import check_finite
from mobilenet_tf.training.classifier import compile_for_training
from mobilenet_tf.training.recipe import Recipe

__all__ = ["Toolkit", "cluster", "prune", "quantize", "to_tf_keras"]


@dataclasses.dataclass
class Toolkit:
    """A `Trainee`: a network that the toolkit has wrapped, trained by tf_keras.

    Args:
        model: The network; it gets the weights in the end.
        source: Side in pixels of the stored images.
        recipe: How to train.
        wrap: Takes the network in tf_keras and the steps of the whole training; gives
            the wrapped one.
        strip: Takes the trained wrapped network; gives the weights of each layer.
        stock: Whether all layers are of tf_keras' own classes, as quantisation needs.
        left_out: Names of layers that are not wrapped; their zeros stay zeros too.
    """

    model: keras.Model
    source: int
    recipe: Recipe
    wrap: Callable[[tf_keras.Model, int], tf_keras.Model]
    strip: Callable[[tf_keras.Model], Weights]
    stock: bool = False
    left_out: Collection[str] = ()

    def compiled(self, side: int | None, steps_per_epoch: int) -> tf_keras.Model:
        body = to_tf_keras(self.model, side, self.recipe, self.stock)
        side = body.input_shape[1]
        body = self.wrap(body, self.recipe.epochs * steps_per_epoch)
        body._name = "body"
        images = tf_keras.Input((self.source, 3, self.source), dtype="uint8")
        boxes = tf_keras.Input((4,))
        crops = Crop(self.source, side)([images, boxes])
        trained = tf_keras.Model([images, boxes], body(crops))
        compile_for_training(trained, self.recipe, steps_per_epoch, tf_keras)
        return trained

    def callbacks(self, on_epoch_end: Callable[[int, dict], None]) -> list:
        # First those which write the zeros, the toolkit's at the end of an epoch.
        return [
            tfmot.sparsity.keras.UpdatePruningStep(),
            KeptZeros(self.model, self.left_out),
            tf_keras.callbacks.LambdaCallback(on_epoch_end=on_epoch_end),
        ]

    def finish(self, trained: tf_keras.Model) -> None:
        weights = self.strip(trained.get_layer("body"))
        check_finite(weights, self.recipe)
        for layer in self.model.layers:
            names = parts(layer)
            # Raises where an array is missing.
            layer.set_weights([one for name in names for one in weights.get(name, ())])
