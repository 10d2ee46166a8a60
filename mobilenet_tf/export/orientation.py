"""EXIF orientation inside a TensorFlow graph.

Phones store photographs as the sensor saw them and note how to turn them.
`tf.io.decode_image` ignores the note, a served network must not. It is tag 0x0112 in
the EXIF data, a TIFF directory in the segment APP1 of a JPEG file.
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
    # Zeros behind the end stand for what a damaged file points to.
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
    """Where the TIFF data of a JPEG file begin; 0 for a file without EXIF data."""

    def is_exif(place):
        name = data[place + 4 : place + 10]
        return tf.reduce_all(name == [*b"Exif\x00\x00"])

    def goes_on(place, found):
        marker = data[place + 1]
        segment = (data[place] == 0xFF) & (marker != _START_OF_SCAN)
        return segment & (place < _SEARCHED - 16) & (found == 0)

    def step(place, found):
        length = data[place + 2] * 256 + data[place + 3]
        exif = (data[place + 1] == _APP1) & is_exif(place)
        return place + 2 + length, tf.where(exif, place + 10, found)

    _, found = tf.while_loop(goes_on, step, [2, 0])
    return found


def _from_tiff(data):
    """The orientation in TIFF data, whose numbers are in either byte order."""
    little = tf.reduce_all(data[:2] == [*b"II"])

    def number(places, size):
        """Numbers of `size` bytes at some places."""
        powers = [256**power for power in range(size)]
        weights = tf.where(little, powers, powers[::-1])
        places = tf.clip_by_value(places, 0, tf.shape(data)[0] - 4)
        octets = tf.gather(data, places[:, None] + tf.range(size))
        return tf.reduce_sum(octets * weights, 1)

    directory = tf.clip_by_value(number(tf.constant([4]), 4)[0], 0, _SEARCHED)
    count = number(directory[None], 2)[0]
    entries = directory + 2 + _ENTRY * tf.range(count)
    values = tf.boolean_mask(number(entries + 8, 2), number(entries, 2) == _TAG)
    code = tf.concat([values, [1]], 0)[0]
    return tf.where((code >= 1) & (code <= 8), code, 1)
