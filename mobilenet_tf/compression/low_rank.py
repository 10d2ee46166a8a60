"""Fully connected layers as the product of two thin ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Unpack

import keras
import numpy as np

from mobilenet_tf import arguments
from mobilenet_tf.compression import kernels
from mobilenet_tf.compression.fine_tuning import StockTraining, checked, fine_tune
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.models import architecture
from mobilenet_tf.models.architecture import LayerSpec
from mobilenet_tf.training.recipe import Recipe


def low_rank(
    model: keras.Model,
    data: DataSet | None = None,
    recipe: Recipe | str | None = None,
    *,
    fraction: float,
    skip: Collection[str] = (),
    **training: Unpack[StockTraining],
) -> keras.Model:
    """Replace each fully connected layer by its truncated singular value decomposition.

    A layer of `inputs x units` weights becomes two, `{name}_factor` of `inputs x rank`
    and `{name}` of `rank x units`, where that is smaller.

    Args:
        model: A trained network of stock layers.
        data: What it is trained on; None means no training.
        recipe: How: a name in `mobilenet_tf.training.RECIPES`, or a recipe; None means
            "compress".
        fraction: Weights that are left of each layer, in (0, 1); it decides the rank.
        skip: Names of fully connected layers to leave as they are, such as a
            classifier of few classes: a low rank would leave it fewer directions than
            it has classes.
        **training: See `mobilenet_tf.compression.fine_tuning.StockTraining`.

    Returns:
        The factorised network; the model stays as it is.

    Raises:
        ValueError: An argument is out of its range, a layer is factorised already, or
            none is left to factorise.
        TypeError: There is no such further argument.

    Source: Denton et al., "Exploiting linear structure within convolutional networks",
    arXiv 1404.0736.
    """
    arguments.number("fraction", fraction, lambda value: 0 < value < 1, "in (0, 1)")
    model, recipe = checked(low_rank, model, data, recipe, training, optional=True)
    dense = [
        layer.name for layer in model.layers if isinstance(layer, keras.layers.Dense)
    ]
    arguments.names("skip", skip, dense)
    chosen = [name for name in dense if name not in skip]
    for name in chosen:
        if f"{name}_factor" in dense:
            raise ValueError(f"{name!r} is factorised already; name it in skip")
    ranks = {name: _rank(model.get_layer(name), fraction) for name in chosen}
    factorised = {name: rank for name, rank in ranks.items() if rank}
    if not factorised:
        raise ValueError(
            f"{model.name!r} has no fully connected layer to factorise at fraction "
            f"{fraction}"
        )
    return fine_tune(
        f"low rank: {100 * fraction:g} % of each fully connected layer",
        model,
        _factorised(model, factorised),
        data,
        recipe,
        left_out=[name for name in kernels.by_name(model) if name not in factorised],
        **training,
    )


def _rank(layer, fraction):
    """The rank that leaves a fraction of the weights; 0 where there is none."""
    inputs, units = layer.kernel.shape
    return int(fraction * inputs * units / (inputs + units))


def _factorised(model, ranks) -> keras.Model:
    """The network with some fully connected layers as two, of the given ranks."""
    network, specs = architecture.describe(model), []
    weights = {layer.name: layer.get_weights() for layer in model.layers}
    for spec in network.layers:
        if spec.name in ranks:
            factor = f"{spec.name}_factor"
            first, second = _factors(weights[spec.name][0], ranks[spec.name])
            weights[factor] = [first]
            weights[spec.name][0] = second
            thin = spec.with_settings(
                units=ranks[spec.name], use_bias=False, activation="linear"
            )
            specs.append(LayerSpec("Dense", factor, spec.inputs, thin.settings))
            spec = dataclasses.replace(spec, inputs=(factor,))
        specs.append(spec)
    result = architecture.build(dataclasses.replace(network, layers=tuple(specs)))
    for layer in result.layers:
        layer.set_weights(weights[layer.name])
    return result


def _factors(weights, rank):
    left, values, right = np.linalg.svd(weights.astype("float32"), full_matrices=False)
    root = np.sqrt(values[:rank])
    return left[:, :rank] * root, root[:, None] * right[:rank]
