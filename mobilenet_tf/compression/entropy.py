"""Estimated bits of a kernel in a file of the codec, without writing the file."""

from __future__ import annotations

import numpy as np

_FLOAT = 32  # bits
_LARGEST = 127
_TOLERANCE = 1e-4  # of a multiple: scales come out of a division


def kernel_bits(values: np.ndarray) -> float:
    """The least of three ways to store a kernel, each weight at its entropy.

    The ways are float32; indices into the sorted list of distinct values; and, where
    they are that, whole multiples of a scale per channel.

    Args:
        values: float32, of two dimensions or more; the last are input channels and
            filters.
    """
    counts = np.unique(values, return_counts=True)[1]
    bits = [float(_FLOAT * values.size), _FLOAT * len(counts) + _entropy(counts)]
    # A depthwise kernel has one filter, and a scale for each input channel.
    channels = np.moveaxis(values, -1 if values.shape[-1] > 1 else -2, 0)
    channels = channels.reshape(len(channels), -1)
    scales = np.abs(channels).max(1, keepdims=True) / _LARGEST
    zero = np.zeros(channels.shape)
    multiples = np.divide(channels, scales, zero, where=scales > 0)
    integers = np.rint(multiples)
    if np.abs(multiples - integers).max() < _TOLERANCE * _LARGEST:
        counts = np.unique(integers, return_counts=True)[1]
        bits.append(_FLOAT * len(channels) + _entropy(counts))
    return min(bits)


def _entropy(counts):
    """Bits of a sequence by its own histogram."""
    return float(-(counts * np.log2(counts / counts.sum())).sum())
