"""Train one trial, and write its model and its record."""

from __future__ import annotations

from collections.abc import Callable

import keras

from experiments.sweep.events import Event
from experiments.sweep.workdir import Workdir
from experiments.trials import bitmap, records
from experiments.trials.network import costs
from experiments.trials.provenance import provenance
from experiments.trials.trial import Trial
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.data.subset import few_of_each_class
from mobilenet_tf.models import keras_file
from mobilenet_tf.training import classifier, distribution, snapshot
from mobilenet_tf.training.distillation import distil
from mobilenet_tf.training.evaluation import evaluate

# Bytes of a teacher's outputs that are kept in the working directory.
LARGEST_OUTPUTS = 2**30


def train(
    trial: Trial,
    data: DataSet,
    workdir: Workdir,
    experiment: str,
    report: Callable[[Event], None],
    data_parallel: bool = False,
    source: dict | None = None,
) -> dict | None:
    """Train a trial, resuming from its snapshot; write its model and its record.

    Args:
        trial: What is trained.
        data: The data set of the trial.
        workdir: Where snapshot, model and record are kept.
        experiment: Name of the experiment, written into the record.
        report: Called after each epoch, when its snapshot is on disk.
        data_parallel: Split each batch over all devices.
        source: Commit of the code, see `provenance.commit`; None means to look it up.

    Returns:
        The record; None in a process that is not the first of several, which write
        nothing.
    """
    keras.utils.clear_session()  # frees the memory of the trial before this one
    origin = provenance(source)  # now: the files may change during the training

    def on_epoch(progress):
        last = progress.history[-1]
        report(Event(trial.key, progress.epoch, last["top1"], loss=last["loss"]))

    model = workdir.model(trial.parent) if trial.network.steps else trial.build()
    with distribution.scope(data_parallel):
        model = _trained(model, trial, data, workdir, on_epoch)
        evaluation = evaluate(
            model, data, central_fraction=trial.training_recipe.central_fraction
        )
        shared_by = distribution.describe()
        if distribution.processes().index:
            return None
    metrics = evaluation.as_dict()
    if trial.network.steps:
        from mobilenet_tf import codec  # an optional dependency

        metrics["size_bytes"] = len(codec.encode(model))
    keras_file.save_model(model, workdir.model_path(trial))
    progress = snapshot.load_metadata(workdir.snapshot_path(trial))
    record = {
        "key": trial.key,
        "experiment": experiment,
        "label": trial.network.label,
        **trial.config,
        "metrics": metrics,
        "correct": bitmap.encode(evaluation.correct),
        "cost": costs(model),
        "seconds": round(progress["seconds"], 1),
        "history": progress["history"],
        **origin,
        **shared_by,
    }
    records.write(workdir.record_path(trial), record)
    workdir.snapshot_path(trial).unlink(missing_ok=True)
    return record


def _trained(model, trial, data, workdir, on_epoch):
    """The network of a trial after its own training, the first or that of a step."""
    training = {
        "seed": trial.seed,
        "snapshot_path": workdir.snapshot_path(trial),
        "on_epoch": on_epoch,
    }
    network = trial.network
    if network.steps:
        step = network.steps[-1]
        return step.function(model, data, step.recipe, **step.arguments, **training)
    recipe = trial.training_recipe
    if network.images_per_class is not None:
        data = few_of_each_class(data, network.images_per_class, trial.seed)
    training["precision"] = trial.precision
    if network.teacher:
        teacher, settings = workdir.model(trial.parent), network.teacher.arguments
        if _keeps_outputs(trial, data):
            training["outputs_folder"] = workdir.path / "teacher_outputs"
        distil(model, teacher, data, recipe, **settings, **training)
    else:
        classifier.fit(model, data, recipe, report=None, **training)
    return model


def _keeps_outputs(trial, data):
    """Whether the teacher's outputs are kept for other students, as far as they fit."""
    outputs = trial.training_recipe.epochs * data.train.size * data.classes
    features = trial.network.teacher.arguments.get("feature_weight")
    return not features and 4 * outputs <= LARGEST_OUTPUTS
