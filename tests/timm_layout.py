"""MobileNet v1 as timm stores and computes it, in NumPy."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

STAGES = ((64,), (128, 128), (256, 256), (512,) * 6, (1024, 1024))
EPSILON = 1e-5


def tensors(alpha=0.25, classes=3, seed=0):
    """`{name: array}` of a network with random weights and statistics.

    Every seventh channel has small values, so that the epsilon of batch normalisation
    matters.
    """
    rng = np.random.default_rng(seed)
    state = {}

    def weak(channels):
        return np.where(np.arange(channels) % 7 == 3, 0.05, 1)

    def convolution(name, filters, *shape):
        kernel = rng.normal(0, np.sqrt(2 / np.prod(shape)), (filters, *shape))
        state[f"{name}.weight"] = (kernel.T * weak(filters)).T

    def normalization(name, channels):
        state[f"{name}.weight"] = rng.uniform(0.5, 1.5, channels)
        state[f"{name}.bias"] = rng.normal(0.5, 0.5, channels)
        state[f"{name}.running_mean"] = rng.normal(0, 0.1, channels) * weak(channels)
        state[f"{name}.running_var"] = (
            rng.uniform(0.5, 2, channels) * weak(channels) ** 2
        )
        state[f"{name}.num_batches_tracked"] = np.array(7)

    channels = round(32 * alpha)
    convolution("conv_stem", channels, 3, 3, 3)
    normalization("bn1", channels)
    for stage, widths in enumerate(STAGES):
        for index, width in enumerate(widths):
            block, filters = f"blocks.{stage}.{index}", round(width * alpha)
            convolution(f"{block}.conv_dw", channels, 1, 3, 3)
            normalization(f"{block}.bn1", channels)
            convolution(f"{block}.conv_pw", filters, channels, 1, 1)
            normalization(f"{block}.bn2", filters)
            channels = filters
    convolution("classifier", classes, channels)
    state["classifier.bias"] = rng.normal(0, 1, classes)
    return {
        name: array.astype("int64" if array.ndim == 0 else "float32")
        for name, array in state.items()
    }


def logits(state, images):
    """`(batch, side, side, 3)` in [-1, 1] -> `(batch, classes)`."""
    x = _normalized(state, "bn1", _convolved(images, state["conv_stem.weight"], 2))
    for stage, widths in enumerate(STAGES):
        for index in range(len(widths)):
            block = f"blocks.{stage}.{index}"
            strides = 2 if stage and not index else 1
            x = _convolved(x, state[f"{block}.conv_dw.weight"], strides)
            x = _normalized(state, f"{block}.bn1", x)
            x = x @ state[f"{block}.conv_pw.weight"][:, :, 0, 0].T
            x = _normalized(state, f"{block}.bn2", x)
    return x.mean((1, 2)) @ state["classifier.weight"].T + state["classifier.bias"]


def _convolved(x, kernel, strides):
    """3x3 with one row and column of zeros on all four sides; depthwise if (C, 1)."""
    x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = sliding_window_view(x, (3, 3), (1, 2))[:, ::strides, ::strides]
    if kernel.shape[1] == 1:
        return np.einsum("nhwcij,cij->nhwc", windows, kernel[:, 0])
    return np.einsum("nhwcij,ocij->nhwo", windows, kernel)


def _normalized(state, name, x):
    weight, bias, mean, variance = (
        state[f"{name}.{part}"]
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    return np.clip((x - mean) / np.sqrt(variance + EPSILON) * weight + bias, 0, 6)
