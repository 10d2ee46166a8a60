"""Measures training steps of one worker, alone or of several on this machine.

    python -m experiments.trials.step_worker JSON

prints a line of JSON; `experiments.trials.step_times` starts it. Each worker has a core
of its own, so that several do not share one.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence

import numpy as np

SIXTEEN_MIB = 2**22  # float32 numbers


def measure(
    builder: str,
    arguments: dict,
    exchange: str,
    batch: int,
    steps: int,
    names: Sequence[str],
    port: int,
    index: int,
) -> dict:
    """Median seconds of a step, and bytes that passed the loopback interface in it.

    Args:
        builder: Module and function that build the network.
        arguments: Its arguments.
        exchange: Key of `experiments.trials.exchanges.EXCHANGES`.
        batch: Images of this worker in a step, at random.
        steps: Number of measured steps, after one that compiles and one to warm up.
        names: The workers' addresses.
        port: The port at which they meet.
        index: Which of them this is.
    """
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[index % len(cores)]})
    from mobilenet_tf import hosts

    chosen = hosts.Hosts(tuple(names), port, index)
    meeting = hosts.joined(chosen, 600) if len(names) > 1 else contextlib.nullcontext()
    with meeting:
        return _measured(builder, arguments, exchange, batch, steps)


def _measured(builder, arguments, exchange, batch, steps):
    import jax
    import psutil

    from experiments.trials import exchanges, workers_step
    from mobilenet_tf.data.boxes import central_boxes
    from mobilenet_tf.training.classifier import compile_for_training
    from mobilenet_tf.training.clone import training_clone
    from mobilenet_tf.training.recipes import RECIPES

    module, function = builder.rsplit(".", 1)
    model = getattr(importlib.import_module(module), function)(**arguments)
    side, classes = model.input_shape[1], model.output_shape[-1]
    clone = training_clone(model, side, seed=0)
    compile_for_training(clone, RECIPES["paper"], 1)
    way = exchanges.EXCHANGES[exchange]
    shapes = [tuple(variable.shape) for variable in clone.trainable_variables]
    mesh = jax.sharding.Mesh(np.array(jax.devices()), (exchanges.AXIS,))
    place = _Placement(mesh)
    variables = jax.tree.map(place.same, workers_step.initial(clone))
    state = jax.tree.map(place.own, way.initial(shapes))
    images = np.random.default_rng(0).integers(0, 256, (batch, side, 3, side), "uint8")
    targets = np.eye(classes, dtype="float32")[np.arange(batch) % classes]
    inputs = jax.tree.map(
        place.own, ([images, central_boxes(batch)], targets), is_leaf=_is_array
    )
    step = workers_step.over_devices(workers_step.of_worker(clone, way), mesh)
    seconds, sent = [], []
    for _ in range(steps + 2):
        before, started = psutil.net_io_counters(pernic=True)["lo"], time.perf_counter()
        variables, state, loss = step(variables, state, inputs)
        jax.block_until_ready((variables, state, loss))
        seconds.append(time.perf_counter() - started)
        after = psutil.net_io_counters(pernic=True)["lo"]
        sent.append(after.bytes_sent - before.bytes_sent)
    return {
        "seconds": statistics.median(seconds[2:]),
        "all_seconds": [round(second, 4) for second in seconds[2:]],
        "loopback_bytes": statistics.median(sent[2:]),
        "shapes": [list(shape) for shape in shapes],
        "loss": float(loss),
        **_collective(mesh, place),
    }


def _collective(mesh, place):
    """Seconds of a ring all-reduce of one number, and of 16 MiB."""
    import jax

    from experiments.trials.exchanges import AXIS

    summed = jax.jit(
        jax.shard_map(
            lambda values: jax.lax.psum(values, AXIS),
            mesh=mesh,
            in_specs=jax.P(AXIS),
            out_specs=jax.P(),
            check_vma=False,
        )
    )
    result = {}
    for name, size, times in (("latency", 1, 50), ("exchange_16_mib", SIXTEEN_MIB, 7)):
        values, seconds = place.own(np.ones(size, "float32")), []
        for _ in range(times):
            started = time.perf_counter()
            jax.block_until_ready(summed(values))
            seconds.append(time.perf_counter() - started)
        result[f"{name}_seconds"] = statistics.median(seconds[2:])
    return result


class _Placement:
    """Arrays of this process as those of all."""

    def __init__(self, mesh):
        self._mesh = mesh

    def same(self, values):
        """An array that all workers have."""
        return self._placed(values, ())

    def own(self, values):
        """An array that is this worker's, with a first axis for the workers."""
        from experiments.trials.exchanges import AXIS

        return self._placed(np.asarray(values)[None], (AXIS,))

    def _placed(self, values, axes):
        import jax

        sharding = jax.sharding.NamedSharding(self._mesh, jax.P(*axes))
        return jax.make_array_from_process_local_data(sharding, np.asarray(values))


def _is_array(value):
    return isinstance(value, np.ndarray)


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))), flush=True)
