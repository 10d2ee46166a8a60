"""How a photograph becomes a network's input when published weights are evaluated.

All of these choices are in use elsewhere; on the same weights they differ by almost a
point of accuracy, so every one is an explicit argument.
"""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from mobilenet_tf import arguments

ORDERS = ("crop_then_resize", "resize_then_crop")
INTERPOLATIONS = ("bilinear", "antialiased", "bicubic", "lanczos3", "area", "nearest")


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """From an image of any size to the input of a network.

    Args:
        order: "crop_then_resize" takes the central part of height and width and scales
            it to the input side, whatever its aspect ratio, as TF-Slim evaluates;
            "resize_then_crop" scales the shorter side to `side / central_fraction` and
            cuts the central square, as most other code does.
        central_fraction: The central part that is seen, in (0, 1].
        interpolation: "bilinear" without antialiasing, as TF-Slim; "antialiased"
            bilinear; "bicubic", "lanczos3", "area" or "nearest".
    """

    order: str = "crop_then_resize"
    central_fraction: float = 0.875
    interpolation: str = "bilinear"

    def __post_init__(self):
        arguments.one_of("order", self.order, ORDERS)
        arguments.one_of("interpolation", self.interpolation, INTERPOLATIONS)
        arguments.number(
            "central_fraction",
            self.central_fraction,
            lambda value: 0 < value <= 1,
            "in (0, 1]",
        )

    def __str__(self):
        order = self.order.replace("_", " ")
        return f"{order}, central {self.central_fraction:g}, {self.interpolation}"

    def apply(self, image: tf.Tensor, side: int) -> tf.Tensor:
        """uint8 `(H, W, 3)` from 0 to 255 to float32 `(side, side, 3)` in [-1, 1]."""
        return self.resize(image, side) / 127.5 - 1.0

    def resize(self, image: tf.Tensor, side: int) -> tf.Tensor:
        """uint8 `(H, W, 3)` to float32 `(side, side, 3)`, both from 0 to 255."""
        size = tf.cast(tf.shape(image)[:2], tf.float32)
        if self.order == "crop_then_resize":
            image = _central(image, tf.round(size * self.central_fraction))
            image = self._resize(image, (side, side))
        else:
            scale = side / self.central_fraction / tf.reduce_min(size)
            image = self._resize(image, tf.cast(tf.round(size * scale), tf.int32))
            image = _central(image, tf.constant([side, side], tf.float32))
        image = tf.ensure_shape(image, (side, side, 3))
        return tf.clip_by_value(image, 0.0, 255.0)

    def _resize(self, image, size):
        antialiased = self.interpolation == "antialiased"
        method = "bilinear" if antialiased else self.interpolation
        resized = tf.image.resize(image, size, method, antialias=antialiased)
        return tf.cast(resized, tf.float32)


def _central(image, size):
    size = tf.cast(size, tf.int32)
    start = (tf.shape(image)[:2] - size) // 2
    return image[start[0] : start[0] + size[0], start[1] : start[1] + size[1]]
