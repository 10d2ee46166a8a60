"""Filters of depthwise convolutions, scaled so that all learn at the same rate.

Batch normalisation undoes the scale of the filter before it. A filter that is twice as
large gives the same network, but has a gradient half as large, and a step turns it by a
quarter of the angle. So its norm sets its rate of learning. Keras' initialisation
divides by the inputs of a whole layer, although a depthwise filter has one channel of
them: with 32 channels filters have a norm of 0.25, with 256 of 0.09. The first steps
turn them far. What that changes is measured by `python -m benchmarks.short_recipe`.
"""

from __future__ import annotations

import collections

import keras
import numpy as np

from mobilenet_tf.models import graph


def scale_filters(model: keras.Model, norm: float) -> int:
    """Scale depthwise filters to a norm, without changing what the network computes.

    The moving statistics of the normalisation behind are scaled along.

    Args:
        model: A network; models inside it are no hindrance. Only layers are scaled that
            have no bias and no activation, and whose output batch normalisation alone
            reads, which reads nothing else.
        norm: Of each filter of 3 x 3 weights, > 0. Filters of zeros stay so, and one is
            scaled down no further than its variance stays positive.

    Returns:
        How many layers were scaled.
    """
    flat = graph.flatten(model)
    pairs = list(_normalized(flat))
    for depthwise, normalization in pairs:
        kernel = keras.ops.convert_to_numpy(depthwise.kernel)
        *learnt, mean, variance = normalization.get_weights()
        norms = np.sqrt((kernel**2).sum((0, 1))).ravel()
        epsilon = normalization.epsilon
        least = np.sqrt(epsilon / (variance + epsilon))
        factors = np.maximum(norm / np.where(norms > 0, norms, norm), least)
        scaled = np.maximum(factors**2 * (variance + epsilon) - epsilon, 0)
        depthwise.kernel.assign(kernel * factors.reshape(kernel.shape[2:]))
        normalization.set_weights([*learnt, mean * factors, scaled])
    if flat is not model:
        graph.copy_weights(flat, model)
    return len(pairs)


def _normalized(flat):
    """Each depthwise convolution whose output is only normalised, and what does so."""
    nodes = [node for layer in flat.operations for node in layer._inbound_nodes]
    readers = collections.Counter(
        id(tensor) for node in nodes for tensor in node.input_tensors
    )
    for layer in flat.layers:
        kind = type(layer)
        if kind is not keras.layers.BatchNormalization or len(layer._inbound_nodes) > 1:
            continue
        before = layer.input._keras_history.operation
        if (
            type(before) is keras.layers.DepthwiseConv2D
            and len(before._inbound_nodes) == 1
            and readers[id(before.output)] == 1
            and not before.use_bias
            and before.activation is keras.activations.linear
        ):
            yield before, layer
