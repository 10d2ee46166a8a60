"""Shapes of a network's weights, without building it: that takes seconds."""

from __future__ import annotations

import math

import keras

from mobilenet_tf.models.architecture import Architecture, TooLargeError
from mobilenet_tf.models.layer_schema import weight_shapes


def of_architecture(
    architecture: Architecture, max_weights: int
) -> list[tuple[str, tuple[int, ...]]]:
    """Name of the layer and shape of each weight, layer by layer.

    Args:
        architecture: Of the network.
        max_weights: A network with more weights is refused.

    Raises:
        TooLargeError: The network has more weights than allowed.
        ValueError: The layers do not fit together.
    """
    outputs: dict[str, tuple[int | None, ...]] = {}
    result: list[tuple[str, tuple[int, ...]]] = []
    count = 0
    for spec in architecture.layers:
        if spec.name in outputs:
            raise ValueError(f"two layers have the name {spec.name!r}")
        layer = getattr(keras.layers, spec.kind)(name=spec.name, **spec.settings)
        inputs = [outputs[name] for name in spec.inputs]
        if not inputs:
            outputs[spec.name] = layer.output.shape
            continue
        shapes = weight_shapes(spec.kind, layer, inputs[0])
        count += sum(map(math.prod, shapes))
        if count > max_weights:
            raise TooLargeError(f"a network must have at most {max_weights:,} weights")
        result += [(spec.name, shape) for shape in shapes]
        outputs[spec.name] = layer.compute_output_shape(
            inputs if len(inputs) > 1 else inputs[0]
        )
    return result
