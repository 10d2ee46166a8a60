"""The arithmetic of a training step, and the fastest choice for a processor."""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable

import keras

from mobilenet_tf import arguments, processor

PRECISIONS = ("float32", "pointwise_bfloat16", "mixed_bfloat16")
CHOICES = ("auto", *PRECISIONS)

# By less than this bfloat16 would hardly pay for its rounding.
_WORTHWHILE = 1.1


def check(precision: str) -> None:
    """Raise ValueError unless `precision` is "auto" or one of `PRECISIONS`."""
    arguments.one_of("precision", precision, CHOICES)


def choose(precision: str, described: processor.Processor | None = None) -> str:
    """The given precision, or for "auto" the fastest for the processor.

    "auto" means float32, except on processors that multiply bfloat16: on those with
    AMX "pointwise_bfloat16" is faster, on those with AVX512-BF16 it depends on the
    model, and is measured once in a process, within a second.

    Args:
        precision: "auto" or one of `PRECISIONS`.
        described: The processor; None means this machine's.

    Raises:
        ValueError: `precision` is none of these.
    """
    check(precision)
    if precision != "auto":
        return precision
    features = (described or processor.describe()).features
    # TensorFlow's own kernels emulate bfloat16, and other backends bring theirs.
    if keras.backend.backend() != "tensorflow" or processor.kernels() != "onednn":
        return "float32"
    if "amx" in features:
        return "pointwise_bfloat16"
    if "avx512_bf16" in features and bfloat16_speedup() > _WORTHWHILE:
        return "pointwise_bfloat16"
    return "float32"


@functools.cache
def bfloat16_speedup() -> float:
    """How many times faster a pointwise convolution of a training step is in bfloat16.

    Measured on TensorFlow: forward and backward pass with the casts from and to
    float32, medians of interleaved rounds.
    """
    steps = {dtype: _pointwise_step(dtype) for dtype in ("float32", "bfloat16")}
    seconds: dict[str, list[float]] = {dtype: [] for dtype in steps}
    for round_number in range(12):
        for dtype, step in steps.items():
            start = time.perf_counter()
            step()
            if round_number > 1:  # the first ones trace and warm up
                seconds[dtype].append(time.perf_counter() - start)
    medians = {dtype: statistics.median(values) for dtype, values in seconds.items()}
    return medians["float32"] / medians["bfloat16"]


def _pointwise_step(dtype: str) -> Callable[[], object]:
    """Forward and backward pass of 256 to 256 channels at 14 x 14, batch size 32."""
    import tensorflow as tf

    images = tf.random.stateless_normal((32 * 14 * 14, 256), (0, 1))
    kernel = tf.random.stateless_normal((256, 256), (0, 2))

    @tf.function(autograph=False)
    def step():
        with tf.GradientTape() as tape:
            tape.watch([images, kernel])
            outputs = tf.matmul(tf.cast(images, dtype), tf.cast(kernel, dtype))
            outputs = tf.cast(outputs, "float32")
        return [tf.reduce_sum(x) for x in tape.gradient(outputs, [images, kernel])]

    return step
