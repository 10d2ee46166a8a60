"""Weights files of timm (PyTorch Image Models) for MobileNet v1, as safetensors.

timm's `mobilenetv1_100` and `mobilenetv1_125` are `build(1.0)` and `build(1.25)` with
ReLU6, padding on all four sides of strided convolutions (`padding="symmetric"`) and
PyTorch's epsilon of batch normalisation. Their input scale, mean 0.5 and standard
deviation 0.5 of values in [0, 1], is [-1, 1], as of all networks here.
"""

from __future__ import annotations

import json
import re
from os import PathLike
from pathlib import Path

import numpy as np

from mobilenet_tf.models.weights_file import bad, next_key
from mobilenet_tf.packages import require

SUFFIX = ".safetensors"
PADDING = "symmetric"
EPSILON = 1e-5

_BLOCK = re.compile(r"blocks\.(\d+)\.(\d+)\.")
_NORMALIZATION = ("weight", "bias", "running_mean", "running_var")
_CENTERED = 0.5  # mean and standard deviation that scale [0, 1] to [-1, 1]


def read(path: str | PathLike) -> dict[str, list[np.ndarray]]:
    """The arrays of a file in Keras' layout, as `weights_file.StoredWeights` has them.

    Args:
        path: The file; timm's `config.json` beside it is checked where there is one.

    Raises:
        ImportError: safetensors is not installed.
        ValueError: The file is damaged, of another network, or was trained with another
            input scale.
    """
    _check_config(path)
    tensors = _tensors(path)
    blocks = sorted(
        {
            tuple(map(int, match.groups()))
            for match in map(_BLOCK.match, tensors)
            if match
        }
    )
    counts: dict[str, int] = {}
    stored: dict[str, list[np.ndarray]] = {}

    def take(kind: str, *names: str, axes: tuple[int, ...] = (0,)) -> None:
        arrays = []
        for name in names:
            if name not in tensors:
                raise bad(path, f"it has no tensor {name!r}")
            array = tensors.pop(name)
            if array.ndim not in (1, len(axes)):
                raise bad(path, f"tensor {name!r} has the shape {array.shape}")
            arrays.append(array.transpose(axes) if array.ndim > 1 else array)
        stored[next_key(counts, kind)] = arrays

    def take_normalized(kind, convolution, normalization, axes):
        take(kind, f"{convolution}.weight", axes=axes)
        names = [f"{normalization}.{name}" for name in _NORMALIZATION]
        take("batch_normalization", *names)

    take_normalized("conv2d", "conv_stem", "bn1", (2, 3, 1, 0))
    for stage, index in blocks:
        block = f"blocks.{stage}.{index}"
        depthwise, pointwise = f"{block}.conv_dw", f"{block}.conv_pw"
        take_normalized("depthwise_conv2d", depthwise, f"{block}.bn1", (2, 3, 0, 1))
        take_normalized("conv2d", pointwise, f"{block}.bn2", (2, 3, 1, 0))
    if "classifier.weight" in tensors:
        take("dense", "classifier.weight", "classifier.bias", axes=(1, 0))
    if tensors:
        names = ", ".join(sorted(tensors)[:3])
        raise bad(path, f"it has tensors that timm's MobileNet v1 has not: {names}")
    return stored


def _tensors(path):
    """`{name: float32 array}` without the counts of batches."""
    library, files = require("safetensors", "safetensors.numpy", extra="hub")
    try:
        tensors = files.load_file(path)
    # KeyError: a type of numbers that NumPy has not, such as bfloat16.
    except (OSError, KeyError, TypeError, ValueError, library.SafetensorError) as error:
        raise bad(path, str(error)) from error
    return {
        name: array.astype("float32")
        for name, array in tensors.items()
        if not name.endswith(".num_batches_tracked")
    }


def _check_config(path):
    """Reject other networks and other input scales, where timm's config tells."""
    config_path = Path(path).with_name("config.json")
    if not config_path.is_file():
        return
    try:
        config = json.loads(config_path.read_text(encoding="utf-8"))
        name = config.get("architecture", "mobilenetv1")
        details = config.get("pretrained_cfg", config)
        scale = [*details.get("mean", ()), *details.get("std", ())]
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise bad(config_path, str(error)) from error
    if not str(name).startswith("mobilenetv1"):
        raise bad(path, f"config.json beside it is of {name!r}")
    if any(value != _CENTERED for value in scale):
        raise bad(
            path,
            "config.json beside it has an input scale of mean "
            f"{details.get('mean')} and std {details.get('std')}; only 0.5 and 0.5, "
            "which is [-1, 1], can be loaded",
        )
