"""Pruning and clustering: the toolkit's wrappers on before training, off afterwards."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping

import keras
import numpy as np
import tensorflow as tf

from mobilenet_tf.compression import kernels
from mobilenet_tf.compression.tfmot.packages import (
    ClusteringAlgorithm,
    GradientAggregation,
    cluster_weights,
    tf_keras,
    tfmot,
)
from mobilenet_tf.compression.wrapping import Weights


@dataclasses.dataclass(frozen=True)
class Pruning:
    """Wrapping for magnitude pruning: more and more zeros from begin to end.

    Args:
        sparsities: Final share of zeros, by the name of the layer.
        begin: When the first zeros come, as a fraction of the training.
        end: When the sparsity is reached, as a fraction of the training.
    """

    sparsities: Mapping[str, float]
    begin: float
    end: float
    stock_layers = False

    def wrap(self, body: tf_keras.Model, steps: int) -> tf_keras.Model:
        first = int(self.begin * steps)
        length = max(1, int((self.end - self.begin) * steps))
        frequency = max(1, length // 100)

        def wrapper(layer):
            schedule = tfmot.sparsity.keras.PolynomialDecay(
                initial_sparsity=0.0,
                final_sparsity=self.sparsities[layer.name],
                begin_step=first,
                # Reached only in a step in which zeros are chosen.
                end_step=first + length // frequency * frequency,
                frequency=frequency,
            )
            return tfmot.sparsity.keras.prune_low_magnitude(layer, schedule)

        return _wrapped(body, self.sparsities, wrapper)

    def strip(self, body: tf_keras.Model) -> Weights:
        return _weights(tfmot.sparsity.keras.strip_pruning(body))


@dataclasses.dataclass(frozen=True)
class Clustering:
    """Wrapping for weight sharing, which trains the shared values.

    Args:
        codebooks: For each layer the initial values. One that is exactly zero stays
            zero, and so do the weights that are.
    """

    codebooks: Mapping[str, np.ndarray] = dataclasses.field(repr=False)
    stock_layers = False

    def wrap(self, body: tf_keras.Model, steps: int) -> tf_keras.Model:
        def wrapper(layer):
            codebook = self.codebooks[layer.name]
            return cluster_weights(
                layer, len(codebook), preserve_sparsity=bool((codebook == 0).any())
            )

        kernels_by_name = kernels.by_name(body)
        wrapped = _wrapped(body, self.codebooks, wrapper)
        for name, codebook in self.codebooks.items():
            layer = wrapped.get_layer(f"cluster_{name}")
            _set_initial_values(layer, codebook, kernels_by_name[name])
        return wrapped

    def strip(self, body: tf_keras.Model) -> Weights:
        return _weights(tfmot.clustering.keras.strip_clustering(body))


def _set_initial_values(wrapper, codebook, values):
    """Replace the toolkit's initial values, which are evenly spaced.

    Its mask of zeros, which holds all weights nearest to its zero, is replaced too.
    """
    ((name, centroids),) = wrapper.cluster_centroids.items()
    if wrapper.preserve_sparsity:
        others = codebook[codebook != 0]
        index = min(int(wrapper.zero_idx[name]), len(others))
        codebook = np.insert(others, index, 0)
        wrapper.zero_idx[name] = tf.constant(index, tf.int64)
        wrapper.sparsity_masks[name] = tf.cast(values != 0, tf.float32)
    centroids.assign(codebook)
    # The mean of the gradients of its weights moves a value as fast as each of them
    # would move; their sum, the toolkit's choice, some hundred times faster.
    wrapper.clustering_algorithms[name] = _SortedLookup(
        centroids, GradientAggregation.AVG
    )


class _SortedLookup(ClusteringAlgorithm):
    """The nearest value of each weight, by a search among the sorted midpoints.

    The toolkit's own search compares each weight with all values, in as many times the
    memory: five times slower for 16 values, and out of reach for large layers.
    """

    def get_pulling_indices(self, weight, centroids=None):
        values = self.cluster_centroids if centroids is None else centroids
        order = tf.argsort(values)
        values = tf.gather(values, order)
        middles = (values[1:] + values[:-1]) / 2
        nearest = tf.searchsorted(middles, tf.reshape(weight, [-1]))
        indices = tf.gather(order, tf.reshape(nearest, tf.shape(weight)))
        return tf.cast(indices, tf.int64)


class KeptZeros(tf_keras.callbacks.Callback):
    """Makes the zeros of layers without a wrapper zero again after every batch.

    Args:
        model: The network before the training.
        names: Of the kernels.
    """

    def __init__(self, model: keras.Model, names: Collection[str]):
        super().__init__()
        self._kept = {
            name: tf.constant(values != 0, tf.float32)
            for name, values in kernels.by_name(model).items()
            if name in names and (values == 0).any()
        }

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        for name, kept in self._kept.items():
            weights = self.model.get_layer("body").get_layer(name).weights
            (kernel,) = (weight for weight in weights if weight.shape.rank > 1)
            kernel.assign(kernel * kept)


def _wrapped(body, names, wrap):
    """A copy of a model, the layers of some names wrapped."""
    return tf_keras.models.clone_model(
        body, clone_function=lambda layer: wrap(layer) if layer.name in names else layer
    )


def _weights(body) -> Weights:
    """Arrays by layer. Pruned negative weights are -0.0, which is made 0.0."""
    return {
        layer.name: [array + 0.0 for array in layer.get_weights()]
        for layer in body.layers
        if layer.weights
    }
