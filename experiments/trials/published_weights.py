"""Networks with published ImageNet weights, by their names in records."""

import keras

import mobilenet_tf


def build(name: str, weights: str) -> keras.Model:
    """A network with its weights.

    Args:
        name: "mobilenet_ALPHA_SIDE" or "squeezenet_1.0".
        weights: "imagenet", or a file.
    """
    kind, *size = name.split("_")
    if kind == "squeezenet":
        return mobilenet_tf.build_squeezenet(weights=weights)
    alpha, side = float(size[0]), int(size[1])
    return mobilenet_tf.build(alpha, base_resolution=side, weights=weights)
