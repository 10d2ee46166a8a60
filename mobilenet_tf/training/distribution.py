"""Data parallelism: every device takes an equal share of each batch.

On the JAX backend the devices may be those of several processes, see
`mobilenet_tf.hosts`. Then every process calls the same functions with the same
arguments; all get the same results, and the first process writes the files.
"""

from __future__ import annotations

import contextlib
import json
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from mobilenet_tf.data.dataset import Share
from mobilenet_tf.training.recipe import Recipe

_compiled: weakref.WeakKeyDictionary[keras.Model, Callable] = (
    weakref.WeakKeyDictionary()
)


@contextlib.contextmanager
def scope(data_parallel: bool) -> Iterator[None]:
    """Train and evaluate inside; without `data_parallel` it does nothing.

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
        parallel = keras.distribution.DataParallel(auto_shard_dataset=False)
        with parallel.scope():
            yield
    else:
        raise ValueError(
            f"data_parallel needs the TensorFlow or JAX backend, got {backend!r}"
        )


def processes() -> Share:
    """Which of the processes that train together this one is."""
    if not _on_several():
        return Share()
    import jax

    return Share(jax.process_index(), jax.process_count())


def devices() -> int:
    """Devices that share every batch."""
    parallel = _parallel()
    return 1 if parallel is None else int(parallel.device_mesh.devices.size)


def describe() -> dict[str, int]:
    """For a record: processes and devices, where there are several of them."""
    counts = {"processes": processes().count, "devices": devices()}
    return counts if max(counts.values()) > 1 else {}


def check(recipe: Recipe, batch_size: int) -> None:
    """Check that all devices get equal shares of a batch, and can train with a recipe.

    Args:
        recipe: How to train.
        batch_size: Images in a batch.

    Raises:
        ValueError: They do not, or cannot.
    """
    # Images are blended in pairs, both of which a process must have.
    pairs = 2 if recipe.augmentation.blends and processes().count > 1 else 1
    if batch_size % (pairs * devices()):
        raise ValueError(
            f"batch_size must be a multiple of {pairs * devices()}, for {devices()} "
            f"devices that share a batch, got {batch_size}"
        )
    if recipe.ema_momentum and processes().count > 1:
        raise ValueError(
            "recipe must have ema_momentum 0 where several processes train together, "
            f"got {recipe.ema_momentum:g}"
        )


def of_first(state: tuple[list[np.ndarray], dict] | None) -> Any:
    """What the first process has read: arrays and JSON metadata, or None.

    Args:
        state: That of this process, of which only the first one's counts.
    """
    if processes().count == 1:
        return state
    arrays, metadata = state or ([], {})
    shapes = [(array.shape, str(array.dtype)) for array in arrays]
    text = json.dumps([state is not None, metadata, shapes]).encode()
    size = _broadcast(np.array(len(text)))
    header = _broadcast(np.frombuffer(text.ljust(int(size))[: int(size)], "uint8"))
    exists, metadata, shapes = json.loads(header.tobytes())
    if processes().index:
        arrays = [np.zeros(shape, dtype) for shape, dtype in shapes]
    return ([_broadcast(array) for array in arrays], metadata) if exists else None


def outputs(model: keras.Model, inputs: Any) -> np.ndarray | None:
    """What a network gives for a batch, computed by the devices of all processes.

    Args:
        model: Gives one output.
        inputs: The whole batch, in every process.

    Returns:
        `(batch, ...)`; None where the model is not distributed over several processes.
    """
    if not _on_several() or model.variables[0].value.is_fully_addressable:
        return None
    import jax
    from jax.experimental import multihost_utils

    size = len(keras.tree.flatten(inputs)[0])
    padded = -(-size // devices()) * devices()
    rows = processes().rows(padded)

    def own(values):
        values = np.concatenate([values, np.repeat(values[-1:], padded - size, 0)])
        layout = _parallel().get_data_layout(values.shape).backend_layout
        return jax.make_array_from_process_local_data(layout, values[rows])

    if model not in _compiled:
        _compiled[model] = jax.jit(
            lambda trainable, other, values: model.stateless_call(
                trainable, other, values, training=False
            )[0]
        )
    scores = _compiled[model](
        [variable.value for variable in model.trainable_variables],
        [variable.value for variable in model.non_trainable_variables],
        keras.tree.map_structure(own, inputs),
    )
    (scores,) = keras.tree.flatten(scores)
    return multihost_utils.process_allgather(scores, tiled=True)[:size]


def _broadcast(array):
    from jax.experimental import multihost_utils

    return np.asarray(multihost_utils.broadcast_one_to_all(array))


def _parallel():
    """The current distribution of Keras; on other backends than JAX it does nothing."""
    if keras.backend.backend() != "jax":
        return None
    return keras.distribution.distribution()


def _on_several() -> bool:
    parallel = _parallel()
    return parallel is not None and parallel.num_processes > 1
