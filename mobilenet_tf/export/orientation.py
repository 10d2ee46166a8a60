"""EXIF orientation inside a TensorFlow graph.

Phones store photographs as the sensor saw them, and how to turn them as an EXIF tag.
`tf.io.decode_image` ignores it, a served network must not. The tag is 0x0112 in the
EXIF data, a TIFF directory in the segment APP1 of a JPEG file.
"""

from __future__ import annotations

import tensorflow as tf

_SEARCHED = 65_536 * 2  # bytes; EXIF data come first, in a segment of at most 64 KiB
_APP1, _START_OF_SCAN = 0xE1, 0xDA
_TAG = 0x0112
_ENTRY = 12  # bytes of an entry of the directory: tag, type, count, value


def orientation(encoded: tf.Tensor) -> tf.Tensor:
    """The EXIF orientation of an encoded image, int32 from 1 to 8.

    1, which means upright, where the file is no JPEG, has no EXIF data or bad ones.
    """
    head = tf.strings.substr(encoded, 0, _SEARCHED)
    # A damaged file may point beyond its end, where zeros are read.
    data = tf.concat(
        [
            tf.cast(tf.io.decode_raw(head, tf.uint8), tf.int32),
            tf.zeros([_SEARCHED], tf.int32),
        ],
        0,
    )
    is_jpeg = tf.reduce_all(data[:2] == [0xFF, 0xD8])
    start = tf.cond(is_jpeg, lambda: _exif_start(data), lambda: 0)
    return tf.cond(start > 0, lambda: _from_tiff(data[start:]), lambda: 1)


def upright(image: tf.Tensor, code: tf.Tensor) -> tf.Tensor:
    """An image `(H, W, 3)` turned as an EXIF orientation says."""
    image = tf.cond(code >= 5, lambda: tf.transpose(image, (1, 0, 2)), lambda: image)
    mirrored = tf.reduce_any(code == [2, 3, 6, 7])
    image = tf.cond(mirrored, lambda: tf.reverse(image, [1]), lambda: image)
    flipped = tf.reduce_any(code == [3, 4, 7, 8])
    return tf.cond(flipped, lambda: tf.reverse(image, [0]), lambda: image)


def _exif_start(data):
    """Offset of the TIFF data in a JPEG file; 0 for a file without EXIF data."""

    def is_exif(offset):
        name = data[offset + 4 : offset + 10]
        return tf.reduce_all(name == [*b"Exif\x00\x00"])

    def unfinished(offset, start):
        marker = data[offset + 1]
        segment = (data[offset] == 0xFF) & (marker != _START_OF_SCAN)
        return segment & (offset < _SEARCHED - 16) & (start == 0)

    def step(offset, start):
        length = data[offset + 2] * 256 + data[offset + 3]
        exif = (data[offset + 1] == _APP1) & is_exif(offset)
        return offset + 2 + length, tf.where(exif, offset + 10, start)

    _, start = tf.while_loop(unfinished, step, [2, 0])
    return start


def _from_tiff(data):
    """The orientation in TIFF data, whose numbers are in either byte order."""
    little = tf.reduce_all(data[:2] == [*b"II"])

    def number(offsets, size):
        """Unsigned integers of `size` bytes at the given offsets."""
        powers = [256**power for power in range(size)]
        weights = tf.where(little, powers, powers[::-1])
        offsets = tf.clip_by_value(offsets, 0, tf.shape(data)[0] - 4)
        octets = tf.gather(data, offsets[:, None] + tf.range(size))
        return tf.reduce_sum(octets * weights, 1)

    directory = tf.clip_by_value(number(tf.constant([4]), 4)[0], 0, _SEARCHED)
    count = number(directory[None], 2)[0]
    entries = directory + 2 + _ENTRY * tf.range(count)
    values = tf.boolean_mask(number(entries + 8, 2), number(entries, 2) == _TAG)
    code = tf.concat([values, [1]], 0)[0]
    return tf.where((code >= 1) & (code <= 8), code, 1)
