"""The toolkit's wrappers of kernels: on before training, and off afterwards."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

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

Weights = dict[str, list[np.ndarray]]


def prune(
    sparsities: Mapping[str, float], begin: float, end: float
) -> tuple[Callable, Callable]:
    """`wrap` and `strip` of magnitude pruning, more and more zeros from begin to end.

    Args:
        sparsities: Share of zeros in the end, by the name of the layer.
        begin: When the first zeros come, as a fraction of the training.
        end: When the sparsity is reached, as a fraction of the training.
    """

    def wrap(body, steps):
        first, length = int(begin * steps), max(1, int((end - begin) * steps))
        frequency = max(1, length // 100)

        def one(layer):
            schedule = tfmot.sparsity.keras.PolynomialDecay(
                initial_sparsity=0.0,
                final_sparsity=sparsities[layer.name],
                begin_step=first,
                # Reached only in a step in which zeros are chosen.
                end_step=first + length // frequency * frequency,
                frequency=frequency,
            )
            return tfmot.sparsity.keras.prune_low_magnitude(layer, schedule)

        return _wrapped(body, sparsities, one)

    return wrap, lambda body: _weights(tfmot.sparsity.keras.strip_pruning(body))


def cluster(codebooks: Mapping[str, np.ndarray]) -> tuple[Callable, Callable]:
    """`wrap` and `strip` of weight sharing, which trains the shared values.

    Args:
        codebooks: For each layer the values to begin with. One that is exactly zero
            stays zero, and so do the weights that are.
    """

    def one(layer):
        codebook = codebooks[layer.name]
        return cluster_weights(
            layer, len(codebook), preserve_sparsity=bool((codebook == 0).any())
        )

    def wrap(body, _):
        found = kernels.by_name(body)
        wrapped = _wrapped(body, codebooks, one)
        for name, codebook in codebooks.items():
            _begin_with(wrapped.get_layer(f"cluster_{name}"), codebook, found[name])
        return wrapped

    return wrap, lambda body: _weights(tfmot.clustering.keras.strip_clustering(body))


def _begin_with(wrapper, codebook, values):
    """Replace the values that the toolkit begins with, which are evenly spaced.

    With them goes its mask of zeros, which holds all weights next to its zero.
    """
    ((name, centroids),) = wrapper.cluster_centroids.items()
    if wrapper.preserve_sparsity:
        place = int(wrapper.zero_idx[name])
        others = codebook[codebook != 0]
        codebook = np.insert(others, min(place, len(others)), 0)
        wrapper.zero_idx[name] = tf.constant(min(place, len(others)), tf.int64)
        wrapper.sparsity_masks[name] = tf.cast(values != 0, tf.float32)
    centroids.assign(codebook)
    # The mean of the gradients of its weights moves a value as fast as each of them
    # would move; their sum, the toolkit's choice, some hundred times faster.
    wrapper.clustering_algorithms[name] = _SortedLookup(
        centroids, GradientAggregation.AVG
    )


class _SortedLookup(ClusteringAlgorithm):
    """The nearest value of each weight, found between sorted middles.

    The toolkit's own search compares each weight with all values, in as many times the
    memory: five times slower for 16 values, and out of reach for large layers.
    """

    def get_pulling_indices(self, weight, centroids=None):
        values = self.cluster_centroids if centroids is None else centroids
        order = tf.argsort(values)
        values = tf.gather(values, order)
        middles = (values[1:] + values[:-1]) / 2
        places = tf.searchsorted(middles, tf.reshape(weight, [-1]))
        indices = tf.gather(order, tf.reshape(places, tf.shape(weight)))
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

    def on_train_batch_end(self, batch, logs=None):
        for name, kept in self._kept.items():
            weights = self.model.get_layer("body").get_layer(name).weights
            (values,) = (one for one in weights if one.shape.rank > 1)
            values.assign(values * kept)


def _wrapped(body, names, wrap):
    """A copy of a model, the layers of some names wrapped."""
    return tf_keras.models.clone_model(
        body, clone_function=lambda layer: wrap(layer) if layer.name in names else layer
    )


def _weights(body) -> Weights:
    """By layer. A pruned weight that was negative is -0.0, which would be no zero."""
    return {
        layer.name: [array + 0.0 for array in layer.get_weights()]
        for layer in body.layers
        if layer.weights
    }
