"""Data parallelism: every device takes an equal share of each batch."""

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def scope(data_parallel: bool) -> Iterator[None]:
    """Build and train inside; without `data_parallel` it does nothing.

    TensorFlow uses `MirroredStrategy` over its GPUs, or over its logical CPUs where
    there is none; JAX uses `keras.distribution.DataParallel` over all devices.

    Raises:
        ValueError: The backend has no data parallelism here.
    """
    backend = keras.backend.backend()
    if not data_parallel:
        yield
    elif backend == "tensorflow":
        import tensorflow as tf

        kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
        devices = [device.name for device in tf.config.list_logical_devices(kind)]
        with tf.distribute.MirroredStrategy(devices).scope():
            yield
    elif backend == "jax":
        keras.distribution.set_distribution(keras.distribution.DataParallel())
        try:
            yield
        finally:
            keras.distribution.set_distribution(None)
    else:
        raise ValueError(
            f"data_parallel needs the TensorFlow or JAX backend, got {backend!r}"
        )
