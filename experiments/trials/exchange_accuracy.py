"""Short trainings of simulated workers: what an exchange costs in accuracy."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import keras
import numpy as np

import mobilenet_tf
from experiments.trials import exchanges, records, workers_step
from experiments.trials.provenance import provenance
from mobilenet_tf.data.batches import training_batches
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.training.classifier import compile_for_training, set_flat_weights
from mobilenet_tf.training.clone import training_clone
from mobilenet_tf.training.evaluation import evaluate
from mobilenet_tf.training.recipe import Recipe

WORKERS = 4
ALPHA = 0.25


def path(results: str | Path) -> Path:
    """The file of records in a folder of results."""
    return Path(results) / "distributed_training" / "accuracy.json"


def read(results: str | Path) -> list[dict]:
    """The records of a folder of results; none where there is no file."""
    return records.read_list(path(results), "trainings")


def checked(recipe: Recipe) -> Recipe:
    """The recipe as simulated workers follow it: all images have its last side.

    Raises:
        ValueError: The backend is not JAX, the workers cannot have equal shares of a
            batch, or the recipe has what they do not support.
    """
    if keras.backend.backend() != "jax":
        raise ValueError(
            "measure=True needs the JAX backend, KERAS_BACKEND=jax in the environment; "
            f"got {keras.backend.backend()!r}"
        )
    if recipe.batch_size % WORKERS:
        raise ValueError(
            f"batch_size must be a multiple of {WORKERS}, got {recipe.batch_size}"
        )
    for name in ("ema_momentum", "fit_classifier_first"):
        if given := getattr(recipe, name):
            raise ValueError(
                f"recipe must do without {name}, which simulated workers do not "
                f"support; got {recipe.name!r} with {name}={given!r}"
            )
    return dataclasses.replace(recipe, side_steps=(1.0,))


def check_records(data: DataSet, recipe: Recipe, results: str | Path) -> None:
    """Raise ValueError where the records are of other data or another recipe."""
    setting = _setting(data, recipe)
    for training in read(results):
        if any(training[name] != setting[name] for name in setting):
            raise ValueError(
                f"results must be a folder whose {path(results).name} is of the same "
                f"data and recipe, got {str(results)!r}"
            )


def _setting(data, recipe):
    return {"data": data.metadata.to_json(), "recipe": recipe.to_json()}


def measure_all(data: DataSet, recipe: Recipe, seeds: int, results: str | Path) -> None:
    """Train with every exchange that has no record yet; each is written at once.

    Args:
        data: The data set.
        recipe: How to train, from `checked`.
        seeds: Trainings with each exchange.
        results: A folder that `check_records` accepts.
    """
    trainings = read(results)
    known = {(training["exchange"], training["seed"]) for training in trainings}
    for seed in range(seeds):
        for exchange in exchanges.EXCHANGES:
            if (exchange, seed) in known:
                continue
            result = train(data, recipe, exchange, seed)
            trainings.append({**result, **_setting(data, recipe)})
            records.write(path(results), {**provenance(), "trainings": trainings})
            print(f"{exchange}, seed {seed}: {trainings[-1]['top1']:.4f}", flush=True)


def train(data: DataSet, recipe: Recipe, exchange: str, seed: int = 0) -> dict:
    """Train MobileNet 0.25 with workers that this process simulates.

    Args:
        data: The data set.
        recipe: How to train; its batches are shared by the workers.
        exchange: Key of `exchanges.EXCHANGES`.
        seed: Seed of weights, order and crops.

    Returns:
        Accuracy, loss of each epoch, and seconds.
    """
    import jax
    import jax.numpy as jnp

    started = time.perf_counter()
    keras.utils.set_random_seed(seed)
    model = mobilenet_tf.build(
        ALPHA, base_resolution=data.metadata.base_resolution, classes=data.classes
    )
    steps = data.train.size // recipe.batch_size
    clone = training_clone(
        model,
        data.side,
        l2=recipe.l2,
        bn_momentum=recipe.bn_momentum,
        seed=seed,
        crop_numbers=recipe.augmentation.numbers,
    )
    compile_for_training(clone, recipe, steps)
    way = exchanges.EXCHANGES[exchange]
    variables = jax.tree.map(jnp.copy, workers_step.initial(clone))
    state = way.initial([tuple(v.shape) for v in clone.trainable_variables])
    state = jax.tree.map(lambda values: jnp.stack([values] * WORKERS), state)
    step = workers_step.simulated(workers_step.of_worker(clone, way))
    batches = training_batches(
        data.train,
        data.classes,
        recipe.batch_size,
        seed,
        0,
        recipe.augmentation,
        stratified=recipe.stratified,
    )
    history = []
    for epoch in range(recipe.epochs):
        losses = []
        for _ in range(steps):
            ((images, boxes), targets) = next(batches)
            shares = jax.tree.map(_shared, ([images, boxes], targets))
            variables, state, loss = step(variables, state, shares)
            losses.append(loss)
        history.append({"loss": float(np.mean(losses))})
        print(f"{exchange}: epoch {epoch + 1}, loss {history[-1]['loss']:.3f}")
    _set(clone, variables)
    set_flat_weights(model, clone.get_weights())
    evaluation = evaluate(model, data, central_fraction=recipe.central_fraction)
    return {
        "exchange": exchange,
        "seed": seed,
        "workers": WORKERS,
        "alpha": ALPHA,
        "top1": evaluation.top1,
        "loss": evaluation.loss,
        "history": history,
        "seconds": round(time.perf_counter() - started, 1),
    }


def _set(clone, variables):
    """Give a network the weights that its workers have reached."""
    own = [*clone.trainable_variables, *clone.non_trainable_variables]
    trainable, others, _ = variables
    for variable, value in zip(own, [*trainable, *others], strict=True):
        variable.assign(value)


def _shared(values):
    """A batch with a first axis for the workers."""
    return values.reshape(WORKERS, -1, *values.shape[1:])
