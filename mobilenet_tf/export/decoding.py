"""Encoded photographs as upright RGB inside a TensorFlow graph.

The same pixels as `mobilenet_tf.data.read_image` gives outside of one.
"""

from __future__ import annotations

import tensorflow as tf

from mobilenet_tf.export.orientation import orientation, upright

_PNG = b"\x89PNG\r\n\x1a\n"  # what every PNG file begins with


def decode(encoded: tf.Tensor) -> tf.Tensor:
    """A JPEG, PNG, GIF or BMP file as upright uint8 RGB `(H, W, 3)`.

    The EXIF orientation is applied, of 16 bits the upper 8 are kept, and transparent
    pixels of PNG files are composited on white.
    """
    is_png = tf.strings.substr(encoded, 0, len(_PNG)) == _PNG
    image = tf.cond(
        is_png,
        lambda: _on_white(tf.io.decode_png(encoded, 4)),
        lambda: tf.io.decode_image(encoded, 3, expand_animations=False),
    )
    image.set_shape((None, None, 3))
    return upright(image, orientation(encoded))


def _on_white(image: tf.Tensor) -> tf.Tensor:
    """uint8 RGBA `(H, W, 4)` as uint8 RGB."""
    colour, opacity = tf.split(tf.cast(image, tf.float32), [3, 1], axis=2)
    blended = 255.0 + (colour - 255.0) * opacity / 255.0
    return tf.cast(tf.round(blended), tf.uint8)
