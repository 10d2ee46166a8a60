"""Ways for data-parallel workers to add up their gradients, and the bytes they take.

Each way is a function of JAX that runs on every worker, on an axis named `AXIS`: of the
devices of several processes (`jax.shard_map`), or of workers that one process simulates
(`jax.vmap`). All gradients of a step travel as one vector.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

AXIS = "workers"
RANK = 4  # of PowerSGD
Shapes = Sequence[tuple[int, ...]]


@dataclasses.dataclass(frozen=True)
class Exchange:
    """A way to add up gradients.

    Attributes:
        label: In tables.
        rounds: How often in a step all workers exchange something of the gradients, one
            after the other.
        sent_bytes: Called with the shapes of the gradients: bytes of what is added up.
        initial: Called with the same shapes: the state of a worker.
        mean: Called with gradients and state on each worker: the mean of the gradients
            over the workers, and the next state.
    """

    label: str
    rounds: int
    sent_bytes: Callable[[Shapes], int]
    initial: Callable[[Shapes], Any]
    mean: Callable[[list, Any], tuple[list, Any]]

    def bytes_per_worker(self, shapes: Shapes, workers: int, others: int = 0) -> float:
        """Bytes that each worker sends in a step, by a ring all-reduce.

        `2 (N - 1) / N` times what is added up: N - 1 parts of N to add them up, and as
        many to hand out the sums (Patarasuk and Yuan, 2009).

        Args:
            shapes: Of the gradients.
            workers: Number of workers.
            others: How many float32 numbers are averaged beside the gradients, whatever
                the exchange.
        """
        return 2 * (workers - 1) / workers * (self.sent_bytes(shapes) + 4 * others)


def elements(shapes: Shapes) -> int:
    """Numbers in all gradients together."""
    return sum(math.prod(shape) for shape in shapes)


def _float32(gradients, state):
    import jax

    return split(jax.lax.pmean(joined(gradients), AXIS), gradients), state


def _bfloat16(gradients, state):
    """Sent in 16 bits, added up in 32; XLA would send both in 32 on a CPU."""
    import jax
    import jax.numpy as jnp

    def bits(values):
        return jax.lax.bitcast_convert_type(values.astype(jnp.bfloat16), jnp.uint16)

    def numbers(values):
        return jax.lax.bitcast_convert_type(values, jnp.bfloat16).astype(jnp.float32)

    vector = joined(gradients)
    workers = jax.lax.axis_size(AXIS)
    padded = jnp.pad(vector, (0, -len(vector) % workers)).reshape(workers, -1)
    parts = jax.lax.all_to_all(bits(padded), AXIS, 0, 0, tiled=True)
    own = numbers(parts.reshape(workers, -1)).mean(0)
    whole = numbers(jax.lax.all_gather(bits(own), AXIS, tiled=True))
    return split(whole[: len(vector)], gradients), state


def _powersgd_initial(shapes):
    """Nothing left over yet, and a random start of each right factor."""
    import jax
    import jax.numpy as jnp

    keys = jax.random.split(jax.random.key(0), len(shapes))
    return [
        (jnp.zeros(_matrix(shape)), jax.random.normal(key, (_matrix(shape)[1], RANK)))
        for shape, key in zip(shapes, keys, strict=True)
        if _is_compressed(shape)
    ]


def _powersgd(gradients, state):
    """Vogels et al., arXiv 1905.13727, algorithms 1 and 2: low rank, error feedback."""
    import jax
    import jax.numpy as jnp

    compressed = [_is_compressed(gradient.shape) for gradient in gradients]
    plain = [g for g, is_low in zip(gradients, compressed, strict=True) if not is_low]
    large = [g for g, is_low in zip(gradients, compressed, strict=True) if is_low]
    matrices = [
        gradient.reshape(_matrix(gradient.shape)) + error
        for gradient, (error, _) in zip(large, state, strict=True)
    ]
    lefts = [m @ right for m, (_, right) in zip(matrices, state, strict=True)]
    sent = [*plain, *lefts]
    sums = split(jax.lax.pmean(joined(sent), AXIS), sent)
    plain, lefts = sums[: len(plain)], sums[len(plain) :]
    lefts = [jnp.linalg.qr(left)[0] for left in lefts]
    rights = [m.T @ left for m, left in zip(matrices, lefts, strict=True)]
    rights = split(jax.lax.pmean(joined(rights), AXIS), rights) if rights else []
    products = [left @ right.T for left, right in zip(lefts, rights, strict=True)]
    state = [
        (matrix - product, right)
        for matrix, product, right in zip(matrices, products, rights, strict=True)
    ]
    plain, products = iter(plain), iter(products)
    return [
        next(products).reshape(gradient.shape) if is_low else next(plain)
        for gradient, is_low in zip(gradients, compressed, strict=True)
    ], state


def _powersgd_bytes(shapes):
    return 4 * sum(
        RANK * sum(_matrix(shape)) if _is_compressed(shape) else math.prod(shape)
        for shape in shapes
    )


def _matrix(shape):
    """Rows and columns of a kernel: all that leads to an output, and the outputs."""
    columns = shape[-1] if shape[-1] > 1 else math.prod(shape[-2:])
    return math.prod(shape) // columns, columns


def _is_compressed(shape):
    return len(shape) > 1 and RANK * sum(_matrix(shape)) < math.prod(shape)


def joined(arrays: Sequence[Any]) -> Any:
    """Arrays as one vector."""
    import jax
    import jax.numpy as jnp

    vector = jnp.concatenate([array.ravel() for array in arrays])
    # XLA would compute every array anew for each use of the vector.
    return jax.lax.optimization_barrier(vector)


def split(vector: Any, like: Sequence[Any]) -> list:
    """What `joined` has joined, in the shapes of other arrays."""
    import jax.numpy as jnp

    ends = [sum(array.size for array in like[: k + 1]) for k in range(len(like))]
    parts = jnp.split(vector, ends[:-1])
    return [part.reshape(a.shape) for part, a in zip(parts, like, strict=True)]


EXCHANGES = {
    "float32": Exchange(
        "float32", 1, lambda shapes: 4 * elements(shapes), lambda shapes: [], _float32
    ),
    "bfloat16": Exchange(
        "bfloat16", 1, lambda shapes: 2 * elements(shapes), lambda shapes: [], _bfloat16
    ),
    "powersgd": Exchange(
        f"PowerSGD, rank {RANK}", 2, _powersgd_bytes, _powersgd_initial, _powersgd
    ),
}
