"""Train one point, and write its model and its record."""

from __future__ import annotations

import os
from collections.abc import Callable

import keras

from experiments.harness.workdir import Workdir
from experiments.trials import records
from experiments.trials.network import costs
from experiments.trials.trial import Point
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.training import classifier, distribution, loop, snapshot
from mobilenet_tf.training.distillation import distil
from mobilenet_tf.training.normalization import adopt_statistics


def train(
    point: Point,
    data: DataSet,
    workdir: Workdir,
    experiment: str,
    on_epoch: Callable[[loop.Progress], None],
    data_parallel: bool = False,
) -> dict:
    """Train a point, going on from its snapshot, and write its model and record."""
    keras.utils.clear_session()  # frees what the point before it left
    provenance = records.provenance()  # now: the files may change while it trains
    with distribution.scope(data_parallel):
        model = _trained(point, data, workdir, on_epoch)
    metrics = classifier.evaluate(
        model, data.evaluation, data.side, point.training_recipe.central_fraction
    )
    if point.network.steps:
        from mobilenet_tf import codec  # an extra

        metrics["size_bytes"] = len(codec.encode(model))
    partial = workdir.model_path(point).with_suffix(".partial.keras")
    model.save(partial)
    os.replace(partial, workdir.model_path(point))
    progress = snapshot.facts(workdir.snapshot_path(point))
    record = {
        "key": point.key,
        "experiment": experiment,
        "label": point.network.label,
        **point.identity,
        "metrics": metrics,
        "cost": costs(model),
        "seconds": round(progress["seconds"], 1),
        "history": progress["history"],
        **provenance,
    }
    records.write(workdir.record_path(point), record)
    workdir.snapshot_path(point).unlink(missing_ok=True)
    return record


def _trained(point, data, workdir, on_epoch):
    """The network of a point after its training: a first one, or a step's."""
    training = {
        "seed": point.seed,
        "snapshot_path": workdir.snapshot_path(point),
        "on_epoch": on_epoch,
    }
    network = point.network
    if network.steps:
        step = network.steps[-1]
        model = workdir.model(point.before)
        return step.function(model, data, step.recipe, **step.arguments, **training)
    model = point.build()
    if network.weights:
        adopt_statistics(model, data, seed=point.seed)
    training["precision"] = point.precision
    if network.teacher:
        teacher, settings = workdir.model(point.before), network.teacher.arguments
        distil(model, teacher, data, point.recipe, **settings, **training)
    else:
        classifier.fit(model, data, point.recipe, **training)
    return model
