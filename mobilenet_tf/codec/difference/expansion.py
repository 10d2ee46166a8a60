"""The codec's files with their tensors as plain float32, and back.

An expanded file is the length of the architecture in 4 bytes, the architecture as the
file packs it or, unfolded, as the numbers of its zlib stream, and all tensors one after
the other.
"""

from __future__ import annotations

import itertools
import operator
import struct

import numpy as np

from mobilenet_tf.codec import container, streams
from mobilenet_tf.codec.difference import deflate

_LENGTH = struct.Struct("<I")


class Expander:
    """Expands files and packs them again; an architecture is read once.

    Args:
        max_bytes: Files with larger tensors are refused before they take memory.
        unfolds: Whether the architecture is unfolded, of which two differ in few bytes.
    """

    def __init__(self, max_bytes: int, unfolds: bool = True) -> None:
        self._max_weights, self._unfolds = max_bytes // 4, unfolds
        self._shapes: dict[str, list[tuple[str, tuple[int, ...]]]] = {}

    def shapes(self, expanded: bytes) -> list[tuple[str, tuple[int, ...]]]:
        """Name and shape of each tensor of an expanded file.

        Raises:
            ValueError: It holds no architecture.
        """
        return self._of_text(container.inflate(self._packed(expanded)))

    def expand(self, content: bytes) -> bytes:
        """A file of `codec.save`, expanded.

        Raises:
            ValueError: It is damaged, or another encoder wrote it.
        """
        text, tensors = container.unpack(content)
        packed = container.packed_architecture(content)
        shapes = [shape for _, shape in self._of_text(text)]
        arrays = streams.decode(tensors, shapes)
        own = deflate.unfold(packed) if self._unfolds else packed
        parts = [_LENGTH.pack(len(own)), own]
        return b"".join([*parts, *(array.astype("<f4").tobytes() for array in arrays)])

    def pack(self, expanded: bytes) -> bytes:
        """The file that `expand` was given.

        Raises:
            ValueError: The bytes are no expanded file.
        """
        packed = self._packed(expanded)
        shapes = [shape for _, shape in self._of_text(container.inflate(packed))]
        offset, arrays = tensors_start(expanded), []
        for shape in shapes:
            size = 4 * int(np.prod(shape))
            part = expanded[offset : offset + size]
            if len(part) != size:
                raise ValueError("the new file has fewer weights than its architecture")
            arrays.append(np.frombuffer(part, "<f4").reshape(shape))
            offset += size
        if offset != len(expanded):
            raise ValueError("the new file has more weights than its architecture")
        return container.join(packed, streams.encode(arrays, self._max_weights))

    def _packed(self, expanded):
        own = _architecture(expanded)
        return deflate.fold(own) if self._unfolds else own

    def _of_text(self, text):
        if text not in self._shapes:
            # It imports Keras, which devices with other files may do without.
            from mobilenet_tf.codec import architecture_text

            shapes = architecture_text.shapes_of_weights(text, self._max_weights)
            streams.check_blocks([shape for _, shape in shapes], self._max_weights)
            self._shapes[text] = [
                (f"{name}/{index}", shape)
                for name, own in itertools.groupby(shapes, operator.itemgetter(0))
                for index, (_, shape) in enumerate(own)
            ]
        return self._shapes[text]


def tensors_start(expanded: bytes) -> int:
    """Where the tensors of an expanded file begin."""
    return _LENGTH.size + len(_architecture(expanded))


def _architecture(expanded):
    if len(expanded) < _LENGTH.size:
        raise ValueError("the new file has no architecture")
    (length,) = _LENGTH.unpack_from(expanded)
    own = expanded[_LENGTH.size : _LENGTH.size + length]
    if len(own) != length:
        raise ValueError("the new file's architecture is cut")
    return own
