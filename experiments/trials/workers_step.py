"""A training step of data-parallel workers, with any exchange of their gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from experiments.trials.exchanges import AXIS, Exchange, joined, split

# Variables of the network and its optimizer, which all workers have the same of; state
# of the exchange, which each has its own of; and a batch.
Step = Callable[[Any, Any, Any], tuple[Any, Any, Any]]


def initial(clone: keras.Model) -> tuple[list, list, list]:
    """The variables of a compiled network: trainable, others, the optimizer's."""
    return (
        [variable.value for variable in clone.trainable_variables],
        [variable.value for variable in clone.non_trainable_variables],
        [variable.value for variable in clone.optimizer.variables],
    )


def of_worker(clone: keras.Model, exchange: Exchange) -> Step:
    """The step of one worker: `(variables, state, batch) -> the next two, loss`.

    Batch normalisation has the statistics of the worker's own images; its moving
    statistics are the mean over the workers.

    Args:
        clone: A compiled network, whose loss and optimizer are taken.
        exchange: How gradients are added up.
    """
    import jax

    def step(variables, state, batch):
        trainable, others, optimizer = variables
        inputs, targets = batch

        def loss_of(values):
            logits, changed, penalties = clone.stateless_call(
                values, others, inputs, training=True, return_losses=True
            )
            return clone.loss(targets, logits) + sum(penalties), changed

        (loss, others), gradients = jax.value_and_grad(loss_of, has_aux=True)(trainable)
        gradients, state = exchange.mean(gradients, state)
        trainable, optimizer = clone.optimizer.stateless_apply(
            optimizer, gradients, trainable
        )
        moving = [value for value in others if value.dtype.kind == "f"]
        values = [loss.reshape(1), *moving]
        loss, *moving = split(jax.lax.pmean(joined(values), AXIS), values)
        others = [moving.pop(0) if v.dtype.kind == "f" else v for v in others]
        return (trainable, others, optimizer), state, loss[0]

    return step


def simulated(step: Step) -> Step:
    """The step of workers that one process simulates.

    State and batch have a first axis for the workers.
    """
    import jax

    mapped = jax.vmap(step, (None, 0, 0), (None, 0, None), axis_name=AXIS)
    return jax.jit(mapped, donate_argnums=(0, 1))


def over_devices(step: Step, mesh: Any) -> Step:
    """The step of workers that have a device each, of this or other processes.

    State and batch have a first axis for the workers.

    Args:
        step: That of a worker.
        mesh: The devices, in one axis that is named as the workers'.
    """
    import jax

    everyone, own = jax.P(), jax.P(AXIS)

    def on_device(variables, state, batch):
        state, batch = jax.tree.map(lambda values: values[0], (state, batch))
        variables, state, loss = step(variables, state, batch)
        return variables, jax.tree.map(lambda values: values[None], state), loss

    mapped = jax.shard_map(
        on_device,
        mesh=mesh,
        in_specs=(everyone, own, own),
        out_specs=(everyone, own, everyone),
        check_vma=False,
    )
    return jax.jit(mapped, donate_argnums=(0, 1))
