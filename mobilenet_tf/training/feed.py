"""Batches of a Python generator, as Keras' `fit` takes them best."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import keras

from mobilenet_tf.data.batches import TrainingBatch

# Batches that are made while others are trained on.
_AHEAD = 2


@contextmanager
def feed(batches: Iterable[TrainingBatch]) -> Iterator[Any]:
    """What `fit` is given for endless batches; an error of theirs is raised as it is.

    TensorFlow would wrap the errors that a generator raises.
    """
    errors: list[ValueError] = []

    def passed_on() -> Iterator[TrainingBatch]:
        try:
            yield from batches
        except ValueError as error:
            errors.append(error)
            raise

    try:
        tensorflow = keras.backend.backend() == "tensorflow"
        yield _data_set(passed_on()) if tensorflow else passed_on()
    except Exception:
        if errors:
            raise errors[0] from None
        raise


def _data_set(batches):
    """A `tf.data.Dataset`, without two things that Keras' own of a generator has.

    One is the thread that tunes buffers: it can miss the end of the data set, which
    then waits for the thread's next turn, half as long as it was read and up to a
    minute (`tensorflow::data::model::Model::OptimizeLoop` of TensorFlow 2.21). The
    other is `from_generator`, which makes the C library give freed memory back at once
    (`M_TRIM_THRESHOLD`): every step of a wide network then asks for it again.
    """
    import tensorflow as tf

    first = next(batches)
    arrays = tf.nest.flatten(first)
    remaining = itertools.chain([arrays], map(tf.nest.flatten, batches))

    def next_batch(_):
        tensors = tf.numpy_function(
            lambda: next(remaining), [], [array.dtype for array in arrays]
        )
        for tensor, array in zip(tensors, arrays, strict=True):
            tensor.set_shape((None, *array.shape[1:]))
        return tf.nest.pack_sequence_as(first, tensors)

    options = tf.data.Options()
    options.autotune.enabled = False
    next_batch = tf.autograph.experimental.do_not_convert(next_batch)
    endless = tf.data.Dataset.counter().map(next_batch)
    return endless.prefetch(_AHEAD).with_options(options)
