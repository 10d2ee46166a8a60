"""Compressed networks as files: near the entropy of their weights, and lossless.

    from mobilenet_tf import codec

    codec.save(model, "model.mntc")
    model = codec.load("model.mntc")

Weights compress well if they have few distinct values, many of them zero, as after
pruning and clustering, or if they are whole multiples of a scale, as after
quantisation. Other weights take about as many bytes as before.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING

from mobilenet_tf import files
from mobilenet_tf.codec import container, streams, tensors
from mobilenet_tf.codec.difference import DeltaReport, apply, delta

if TYPE_CHECKING:
    import keras

# What needs Keras is imported on use: devices that apply deltas do without it.

MAX_WEIGHTS = 1 << 26

__all__ = [
    "DeltaReport",
    "apply",
    "decode",
    "delta",
    "encode",
    "inspect",
    "load",
    "load_weights",
    "save",
]


def save(
    model: keras.Model, path: str | os.PathLike, max_weights: int = MAX_WEIGHTS
) -> int:
    """Write a network to a file, and return its size in bytes.

    Args:
        model: A functional or built sequential model of stock layers. Models inside it
            are flattened: `load` gives a flat one.
        path: The file, which appears by rename and replaces what is there.
        max_weights: A network with more weights is refused, as by `load`.

    Raises:
        ValueError: The model cannot be written; the message says why.
    """
    content = encode(model, max_weights)
    files.write(path, content)
    return len(content)


def load(path: str | os.PathLike, max_weights: int = MAX_WEIGHTS) -> keras.Model:
    """Read a network, its weights equal bit by bit to those that were saved.

    Args:
        path: The file.
        max_weights: A file with more weights is refused before they take memory.

    Raises:
        ValueError: The file is damaged or not of this format; the message says how.
    """
    try:
        return decode(Path(path).read_bytes(), max_weights)
    except ValueError as error:
        raise ValueError(f"{str(path)!r} cannot be loaded: {error}") from error


def load_weights(
    model: keras.Model, path: str | os.PathLike, max_weights: int = MAX_WEIGHTS
) -> None:
    """Read the weights of a file into a network of the same architecture.

    Args:
        model: The network, which gets the weights once the whole file is read. Names
            of layers may differ; models inside it are treated as if flat.
        path: The file.
        max_weights: As `load`.

    Raises:
        ValueError: As `load`, or the file is of another architecture.
    """
    from mobilenet_tf.models import architecture, graph

    loaded, flat = load(path, max_weights), graph.flatten(model)
    architectures = architecture.describe(loaded), architecture.describe(flat)
    if difference := architecture.difference(*architectures):
        raise ValueError(
            f"{str(path)!r} holds another architecture than {model.name!r}: "
            f"{difference}"
        )
    flat.set_weights(loaded.get_weights())
    if flat is not model:
        graph.copy_weights(flat, model)


def encode(model: keras.Model, max_weights: int = MAX_WEIGHTS) -> bytes:
    """A network as bytes; see `save` for arguments and errors."""
    from mobilenet_tf.codec import architecture_text
    from mobilenet_tf.models import architecture, graph

    model = graph.flatten(model)
    text = architecture_text.to_json(architecture.describe(model))
    if model.count_params() > max_weights:
        raise ValueError(
            f"model must have at most max_weights ({max_weights:,}) weights, got "
            f"{model.count_params():,}"
        )
    arrays = [array for layer in model.layers for array in layer.get_weights()]
    return container.pack(text, streams.encode(arrays, max_weights))


def decode(content: bytes, max_weights: int = MAX_WEIGHTS) -> keras.Model:
    """The network of `encode`'s bytes; see `load` for arguments and errors."""
    from mobilenet_tf.codec import architecture_text

    text, packed = container.unpack(content)
    model, layers = architecture_text.build(text, max_weights)
    shapes = [tuple(weight.shape) for layer in layers for weight in layer.weights]
    streams.check_blocks(shapes, max_weights)
    arrays = streams.decode(packed, shapes)
    for layer in layers:
        layer.set_weights(list(itertools.islice(arrays, len(layer.weights))))
    next(arrays, None)  # raises where the file has more
    return model


def inspect(
    content: bytes, max_weights: int = MAX_WEIGHTS
) -> list[tuple[str, str, tuple[int, ...], int]]:
    """List the tensors of a file without decoding them.

    Args:
        content: The file's bytes.
        max_weights: As `load`.

    Returns:
        Name, kind, shape and size in bytes of every tensor.

    Raises:
        ValueError: As `load`.
    """
    from mobilenet_tf.codec import architecture_text

    text, packed = container.unpack(content)
    _, layers = architecture_text.build(text, max_weights)
    names = [
        (weight.path, tuple(weight.shape))
        for layer in layers
        for weight in layer.weights
    ]
    if len(names) != len(packed):
        raise ValueError("it has not as many tensors as its architecture")
    return [
        (name, _kind(stream.kind), shape, len(stream.content))
        for (name, shape), stream in zip(names, packed, strict=True)
    ]


def _kind(number):
    sparse = " with zeros" if number & tensors.SPARSE else ""
    number &= ~tensors.SPARSE
    return (
        tensors.KINDS[number] if number < len(tensors.KINDS) else "unknown"
    ) + sparse
