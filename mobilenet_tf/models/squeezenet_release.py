"""Loads the compressed weights that the SqueezeNet authors released.

Their network expects BGR pixels in [0, 255] minus a mean, ours RGB in [-1, 1]. Since
conv1 has no padding, its kernel and bias absorb the difference exactly.

Source: github.com/songhan/SqueezeNet-Deep-Compression, SqueezeNet 1.0.
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
# Squeeze filters of fire2 to fire9; each expand layer has four times as many.
_SQUEEZE = (16, 16, 32, 32, 48, 48, 64, 64)


def shapes() -> dict[str, tuple[int, int, int, int]]:
    """Kernel shapes `{layer: (out, in, height, width)}`, in the order of the file."""
    kernels = {"conv1": (96, 3, 7, 7)}
    channels = 96
    for index, squeeze in enumerate(_SQUEEZE, start=2):
        kernels[f"fire{index}_squeeze"] = (squeeze, channels, 1, 1)
        for size in (1, 3):
            name = f"fire{index}_expand{size}x{size}"
            kernels[name] = (4 * squeeze, squeeze, size, size)
        channels = 8 * squeeze
    return kernels | {"conv10": (CLASSES, channels, 1, 1)}


def read(
    path: str | PathLike[str],
) -> dict[str, deep_compression_format.CompressedLayer]:
    """Read the layers of the `.net` file in their compressed form, by layer name.

    Raises:
        ValueError: The file is truncated, damaged or not the released one.
    """
    layers = deep_compression_format.read(path, list(shapes().values()))
    sha256 = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    if sha256 != SHA256:
        raise ValueError(
            f"weights file {str(path)!r} is damaged: its SHA-256 must be {SHA256}, "
            f"got {sha256}"
        )
    return dict(zip(shapes(), layers, strict=True))


def load(model: keras.Model, path: str | PathLike[str]) -> None:
    """Load the `.net` file into a SqueezeNet 1.0 without bypass.

    If the model's conv10 has another number of classes, or the model has no conv10,
    that layer is skipped with a warning.

    Raises:
        ValueError: The file is damaged; no weight has been changed.
    """
    compressed = read(path)
    layers = {layer.name: layer for layer in model.layers if layer.name in compressed}
    classes = layers["conv10"].filters if "conv10" in layers else "no"
    if classes != CLASSES:
        warnings.warn(
            f"conv10 in {str(path)!r} has {CLASSES} classes and is skipped; "
            f"{model.name!r} has {classes} classes",
            stacklevel=3,
        )
        layers.pop("conv10", None)
    for name, layer in layers.items():
        kernel = compressed[name].weights.transpose(2, 3, 1, 0)
        bias = compressed[name].bias
        if name == "conv1":
            kernel, bias = for_scaled_rgb(kernel, bias)
        layer.set_weights([kernel, bias])


def for_scaled_rgb(
    kernel: np.ndarray, bias: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Convert conv1 from BGR in [0, 255] minus `MEAN_BGR` to RGB in [-1, 1].

    Per channel, `255 * (x + 1) / 2 - mean = 127.5 * x + (127.5 - mean)`. Zeros of the
    kernel stay zero.

    Args:
        kernel: `(height, width, 3, filters)`, channels BGR.
        bias: `(filters,)`.
    """
    shift = (127.5 - np.array(MEAN_BGR, "float64"))[:, None]
    bias = bias + (kernel * shift).sum(axis=(0, 1, 2))
    return 127.5 * kernel[:, :, ::-1], bias.astype("float32")
