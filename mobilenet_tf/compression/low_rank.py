"""Fully connected layers as the product of two thin ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection

import keras
import numpy as np

from mobilenet_tf import arguments
from mobilenet_tf.compression import kernels, reports
from mobilenet_tf.compression.tuning import check_tuned, tune
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.models import architecture
from mobilenet_tf.training.recipe import Recipe


def low_rank(
    model: keras.Model,
    data: DataSet | None = None,
    recipe: Recipe | None = None,
    *,
    fraction: float,
    skip: Collection[str] = (),
    report: Callable[[reports.Report], None] = print,
    **training,
) -> keras.Model:
    """Replace each fully connected layer by its truncated singular value decomposition.

    A layer of `inputs x units` weights becomes two, `{name}_factor` of `inputs x rank`
    and `{name}` of `rank x units`, where that is smaller.

    Args:
        model: A trained network, flat and functional, of stock layers.
        data: What it is trained on; None means no training.
        recipe: How; None means no training.
        fraction: Weights that are left of each layer, in (0, 1); it decides the rank.
        skip: Names of fully connected layers to leave as they are, such as a
            classifier of few classes: a low rank would leave it fewer directions than
            it has to tell apart.
        report: Called with what was done.
        **training: Further arguments of `mobilenet_tf.training.classifier.fit`.

    Returns:
        The factorised network; the model stays as it is.

    Raises:
        ValueError: An argument is out of its range, a layer is factorised already, or
            none is left to factorise.

    Source: Denton et al., "Exploiting linear structure within convolutional networks",
    arXiv 1404.0736.
    """
    further = {"report": report, **training}
    check_tuned("low_rank", model, data, recipe, further)
    arguments.number("fraction", fraction, lambda value: 0 < value < 1, "in (0, 1)")
    dense = [one.name for one in model.layers if isinstance(one, keras.layers.Dense)]
    arguments.names("skip", skip, dense)
    chosen = [one for one in dense if one not in skip]
    for one in chosen:
        if f"{one}_factor" in dense:
            raise ValueError(f"{one!r} is factorised already; name it in skip")
    name, *entries = json.loads(architecture.describe(model))
    named, weights = kernels.by_name(model), {}
    factorised, left_out = [], []
    for kind, layer_name, inputs, settings in entries:
        layer = model.get_layer(layer_name)
        weights[layer_name] = layer.get_weights()
        if layer_name in chosen and (rank := _rank(layer, fraction)):
            factor = f"{layer_name}_factor"
            first, second = _factors(weights[layer_name][0], rank)
            weights[factor] = [first]
            weights[layer_name][0] = second
            thin = {"units": rank, "use_bias": False}
            factorised.append(["Dense", factor, inputs, thin])
            inputs = [factor]
        else:
            left_out += (name for name in kernels.parts(layer) if name in named)
        factorised.append([kind, layer_name, inputs, settings])
    if len(factorised) == len(entries):
        raise ValueError(
            f"{model.name!r} has no fully connected layer to factorise at fraction "
            f"{fraction}"
        )
    text = json.dumps([name, *factorised])
    result, layers = architecture.build(text)
    for layer in layers:
        layer.set_weights(weights[layer.name])
    title = f"low rank: {100 * fraction:g} % of each fully connected layer"
    return tune(title, model, result, data, recipe, left_out, report, **training)


def _rank(layer, fraction):
    """The rank that leaves a fraction of the weights; 0 where there is none."""
    inputs, units = layer.kernel.shape
    return int(fraction * inputs * units / (inputs + units))


def _factors(weights, rank):
    left, values, right = np.linalg.svd(weights.astype("float32"), full_matrices=False)
    root = np.sqrt(values[:rank])
    return left[:, :rank] * root, root[:, None] * right[:rank]
