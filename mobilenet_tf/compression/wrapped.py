"""What the steps with the toolkit have in common: training inside its wrappers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import keras

from mobilenet_tf.compression import reports
from mobilenet_tf.compression.tuning import task
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.models import architecture
from mobilenet_tf.training import loop
from mobilenet_tf.training.recipe import Recipe


def train(
    title: str,
    model: keras.Model,
    data: DataSet | None,
    recipe: Recipe | None,
    prepare: Callable,
    left_out: list[str],
    *,
    settings: Mapping[str, object],
    stock: bool = False,
    seed: int = 0,
    snapshot_path: str | os.PathLike | None = None,
    on_epoch: Callable[[loop.Progress], None] = lambda progress: None,
    report: Callable[[reports.Report], None] = print,
) -> keras.Model:
    """A copy of the model, changed by a step and trained.

    Args:
        title: What the step is, for the report.
        model: It stays as it is.
        data: What the copy is trained on, or None.
        recipe: How, or None.
        prepare: Called with the copy and the bridge; gives the bridge's `wrap` and
            `strip`.
        left_out: Names of kernels that the step leaves out. They are trained too;
            what is zero there stays so.
        settings: The step's own.
        stock: Whether the toolkit takes its own layers alone.
        seed: Seed of batch order, augmentation and dropout.
        snapshot_path: `.npz` file that holds the state after each epoch.
        on_epoch: Called after each epoch.
        report: Called with what the step has done.

    Raises:
        ValueError: The model has a layer that cannot cross, or weights that are not
            finite after the training.
    """
    architecture.describe(model)  # raises for what cannot be written
    result = keras.models.clone_model(model)
    result.set_weights(model.get_weights())
    top1 = None
    if data is None:
        prepare(result, None)
    else:
        bridge = _bridge()
        # First, so that images which cannot be evaluated are found before the training.
        before = reports.accuracy(model, data, recipe)
        wrap, strip = prepare(result, bridge)
        keras.utils.set_random_seed(seed)
        loop.run(
            bridge.Toolkit(result, data.side, recipe, wrap, strip, stock, left_out),
            data,
            recipe,
            seed=seed,
            task=task(title, model, left_out=left_out, **settings),
            snapshot_path=snapshot_path,
            on_epoch=on_epoch,
        )
        top1 = before, reports.accuracy(result, data, recipe)
    report(reports.make(title, model, result, left_out, top1))
    return result


def _bridge():
    try:
        from mobilenet_tf.compression import tfmot as bridge
    except ImportError as error:
        raise ImportError(
            "training a compressed network needs tensorflow-model-optimization and "
            f"tf_keras; BUILD.md says how to install them ({error})"
        ) from error
    return bridge
