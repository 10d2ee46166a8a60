"""Networks that have shapes, but no weights yet: enough to count their costs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent import futures
from typing import TypeVar

import keras

_Result = TypeVar("_Result")


def without_weights(count: Callable[[], _Result]) -> _Result:
    """Call a function that builds networks and counts; no weights are drawn in it.

    `without_weights(lambda: cost.mult_adds(keras.applications.VGG16(weights=None)))`
    takes a small part of the time and memory of 138 million random weights.

    Args:
        count: Called without arguments. It must neither run the networks that it
            builds, nor load weights into them, nor return them.

    Returns:
        What `count` returns.
    """

    def in_scope() -> _Result:
        with keras.StatelessScope(initialize_variables=False):
            return count()

    # Keras keeps a list of the weights that are still to be drawn, one in each thread:
    # with the thread it is gone.
    with futures.ThreadPoolExecutor(1) as thread:
        return thread.submit(in_scope).result()
