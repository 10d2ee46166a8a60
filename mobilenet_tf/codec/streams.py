"""The tensors of a network as the streams of a file, and back."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from mobilenet_tf.codec import masks, tensors
from mobilenet_tf.codec.container import Stream

# Blocks are coded one after the other: this many take ten seconds to a minute. The
# largest network allowed has half as many where all its blocks are full.
MAX_BLOCKS = 1 << 18


def encode(arrays: Sequence[np.ndarray], max_weights: int) -> list[Stream]:
    """The streams of float32 tensors.

    Raises:
        ValueError: They have more blocks than `decode` allows.
    """
    check_blocks([array.shape for array in arrays], max_weights)
    models, streams = tensors.Models(), []
    for array in arrays:
        kind, content = tensors.encode(array, models)
        streams.append(Stream(kind, _checksum(array), content))
    return streams


def decode(
    streams: Sequence[Stream], shapes: Iterable[tuple[int, ...]]
) -> Iterator[np.ndarray]:
    """The tensors of streams, one after the other.

    Raises:
        ValueError: There are fewer or more streams than shapes, or one is damaged.
    """
    models, remaining = tensors.Models(), iter(streams)
    for shape in shapes:
        stream = next(remaining, None)
        if stream is None:
            raise ValueError("it has fewer tensors than its architecture")
        array = tensors.decode(stream.kind, stream.content, shape, models)
        if _checksum(array) != stream.checksum:
            raise ValueError("a tensor's checksum is wrong")
        yield array
    if next(remaining, None) is not None:
        raise ValueError("it has more tensors than its architecture")


def check_blocks(shapes: Iterable[tuple[int, ...]], max_weights: int) -> None:
    """Raise ValueError for tensors that take too long.

    Args:
        shapes: Of the tensors.
        max_weights: What the caller allows of them.
    """
    count, most = sum(map(tensors.blocks, shapes)), max(MAX_BLOCKS, max_weights // 256)
    if count > most:
        raise ValueError(
            f"its weights must fill at most {most:,} blocks of {masks.ROWS} filters by "
            f"{masks.COLUMNS} input channels, got {count:,}"
        )


def _checksum(array):
    return zlib.crc32(np.ascontiguousarray(array, "<f4").tobytes())
