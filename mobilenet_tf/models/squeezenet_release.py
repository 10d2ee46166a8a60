"""The SqueezeNet authors' compressed weights into our SqueezeNet.

Theirs expects BGR from 0 to 255 minus a mean, ours RGB from -1 to 1. conv1 has no
padding, so that the difference goes into its weights and biases without a remainder.
"""

from __future__ import annotations

import hashlib
import warnings
from os import PathLike
from pathlib import Path

import keras
import numpy as np

from mobilenet_tf.models import deep_compression_format

SHA256 = "e4ab6960ae8cd81505e1c2136921201507e930966c53deaf15862a395b3a3261"
MEAN_BGR = (104.0, 117.0, 123.0)
CLASSES = 1000
_SQUEEZE = (16, 16, 32, 32, 48, 48, 64, 64)  # fire2 to fire9; both expands: 4 times


def shapes() -> dict[str, tuple[int, int, int, int]]:
    """`{layer: (out, in, height, width)}` of the file, in its order."""
    result = {"conv1": (96, 3, 7, 7)}
    inside = 96
    for index, squeeze in enumerate(_SQUEEZE, start=2):
        result[f"fire{index}_squeeze"] = (squeeze, inside, 1, 1)
        for size in (1, 3):
            name = f"fire{index}_expand{size}x{size}"
            result[name] = (4 * squeeze, squeeze, size, size)
        inside = 8 * squeeze
    return result | {"conv10": (CLASSES, inside, 1, 1)}


def read(path: str | PathLike) -> dict[str, deep_compression_format.CompressedLayer]:
    """The layers of the `.net` file, as they are stored.

    Raises:
        ValueError: The file is truncated, damaged, or not the authors'.
    """
    compressed = deep_compression_format.read(path, list(shapes().values()))
    found = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    if found != SHA256:
        raise ValueError(
            f"weights file {str(path)!r} is damaged: its SHA-256 must be {SHA256}, "
            f"got {found}"
        )
    return dict(zip(shapes(), compressed, strict=True))


def load(model: keras.Model, path: str | PathLike) -> None:
    """Load the `.net` file into SqueezeNet 1.0.

    conv10 of another number of classes, or where the model has none, is left out, with
    a warning.

    Raises:
        ValueError: The file is damaged; no weight has been changed.
    """
    stored = read(path)
    layers = {layer.name: layer for layer in model.layers if layer.name in stored}
    classes = layers["conv10"].filters if "conv10" in layers else "no"
    if classes != CLASSES:
        warnings.warn(
            f"conv10 in {str(path)!r} has {CLASSES} classes and is left out; "
            f"{model.name!r} has {classes} classes",
            stacklevel=3,
        )
        layers.pop("conv10", None)
    for layer in layers.values():
        compressed = stored[layer.name]
        kernel = compressed.weights.transpose(2, 3, 1, 0)
        bias = compressed.bias
        if layer.name == "conv1":
            kernel, bias = for_scaled_rgb(kernel, bias)
        layer.set_weights([kernel, bias])


def for_scaled_rgb(kernel, bias):
    """conv1 for RGB in [-1, 1] from conv1 for BGR in [0, 255] minus `MEAN_BGR`.

    `255 * (x + 1) / 2 - mean = 127.5 * x + (127.5 - mean)`, channel by channel. Zeros
    stay zeros.
    """
    shift = (127.5 - np.array(MEAN_BGR, "float64"))[:, None]
    bias = bias + (kernel * shift).sum(axis=(0, 1, 2))
    return 127.5 * kernel[:, :, ::-1], bias.astype("float32")
