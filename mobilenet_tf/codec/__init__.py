"""Compressed networks as files: near the entropy of their weights, and lossless.

    from mobilenet_tf import codec

    codec.save(model, "model.mntc")
    model = codec.load("model.mntc")

Weights compress well if they have few distinct values, many of them zero, as after
pruning and clustering, or if they are whole multiples of a scale, as after
quantisation. Other weights take about as many bytes as before.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import keras
import numpy as np

from mobilenet_tf.codec import architecture_text, container, masks, tensors
from mobilenet_tf.models import architecture, graph

MAX_WEIGHTS = 1 << 26
# Blocks are coded one after the other: this many take ten seconds to a minute. The
# largest network allowed has half as many where all its blocks are full.
MAX_BLOCKS = 1 << 18

__all__ = ["decode", "encode", "inspect", "load", "load_weights", "save"]


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
    content, path = encode(model, max_weights), Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_bytes(content)
    partial.replace(path)
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
    model = graph.flatten(model)
    text = architecture_text.to_json(architecture.describe(model))
    if model.count_params() > max_weights:
        raise ValueError(
            f"model must have at most max_weights ({max_weights:,}) weights, got "
            f"{model.count_params():,}"
        )
    _check_blocks(model.layers, model.count_params())
    models, streams = tensors.Models(), []
    for layer in model.layers:
        for array in layer.get_weights():
            kind, content = tensors.encode(array, models)
            streams.append(container.Stream(kind, _checksum(array), content))
    return container.pack(text, streams)


def decode(content: bytes, max_weights: int = MAX_WEIGHTS) -> keras.Model:
    """The network of `encode`'s bytes; see `load` for arguments and errors."""
    text, streams = container.unpack(content)
    model, layers = architecture_text.build(text, max_weights)
    _check_blocks(layers, max_weights)
    models, remaining = tensors.Models(), iter(streams)
    for layer in layers:
        shapes = [tuple(weight.shape) for weight in layer.weights]
        layer.set_weights(
            [_decode(next(remaining, None), shape, models) for shape in shapes]
        )
    if next(remaining, None) is not None:
        raise ValueError("it has more tensors than its architecture")
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
    text, streams = container.unpack(content)
    _, layers = architecture_text.build(text, max_weights)
    names = [
        (weight.path, tuple(weight.shape))
        for layer in layers
        for weight in layer.weights
    ]
    if len(names) != len(streams):
        raise ValueError("it has not as many tensors as its architecture")
    return [
        (name, _kind(stream.kind), shape, len(stream.content))
        for (name, shape), stream in zip(names, streams, strict=True)
    ]


def _kind(number):
    sparse = " with zeros" if number & tensors.SPARSE else ""
    number &= ~tensors.SPARSE
    return (
        tensors.KINDS[number] if number < len(tensors.KINDS) else "unknown"
    ) + sparse


def _check_blocks(layers, max_weights):
    shapes = [tuple(weight.shape) for layer in layers for weight in layer.weights]
    count, most = sum(map(tensors.blocks, shapes)), max(MAX_BLOCKS, max_weights // 256)
    if count > most:
        raise ValueError(
            f"its weights must fill at most {most:,} blocks of {masks.ROWS} filters by "
            f"{masks.COLUMNS} input channels, got {count:,}"
        )


def _decode(stream, shape, models):
    if stream is None:
        raise ValueError("it has fewer tensors than its architecture")
    array = tensors.decode(stream.kind, stream.content, shape, models)
    if _checksum(array) != stream.checksum:
        raise ValueError("a tensor's checksum is wrong")
    return array


def _checksum(array):
    return zlib.crc32(np.ascontiguousarray(array, "<f4").tobytes())
