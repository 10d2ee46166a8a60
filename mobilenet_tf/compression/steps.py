"""Pruning, clustering and quantisation of a trained network, with training in between.

Each step takes a Keras model and gives a new one of stock layers; the model it is given
stays as it is, and models inside it are flattened. The steps combine in this order, any
of them left out: prune; then cluster, which keeps the zeros; then quantize, which keeps
the zeros and the shared values. Another order undoes the earlier step: training
moves every weight of a clustered or quantised network on its own. `remove_channels` and
`low_rank` come first.

The training is that of `mobilenet_tf.training.loop`, around the wrappers of the Model
Optimization Toolkit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Unpack

import keras

from mobilenet_tf import arguments
from mobilenet_tf.compression import kernels
from mobilenet_tf.compression.codebooks import codebook, nearest
from mobilenet_tf.compression.fine_tuning import (
    Training,
    checked,
    copy_of,
    fine_tune,
    toolkit,
)
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.training.recipe import Recipe

_PRUNED_FILES = (
    "a LiteRT file of a pruned network is as large as that of the dense one; the "
    "codec's is smaller"
)


def prune(
    model: keras.Model,
    data: DataSet,
    recipe: Recipe | str | None = None,
    *,
    sparsity: float | Mapping[str, float],
    begin: float = 0.0,
    end: float = 0.5,
    depthwise: bool = False,
    skip: Collection[str] = (),
    keep_clusters: bool = True,
    **training: Unpack[Training],
) -> keras.Model:
    """Set the smallest weights of every kernel to zero, more and more of them.

    A LiteRT file of the pruned network is as large as that of the dense one, and as
    fast; the codec's file is smaller. `remove_channels` makes both smaller and faster.

    Args:
        model: A trained classifier of stock layers.
        data: The data set to train on.
        recipe: How to train: a name in `mobilenet_tf.training.RECIPES`, or a recipe,
            whose learning rate is usually lower than that of the training before; None
            means "compress".
        sparsity: Final share of zeros in each kernel, in [0, 1); or the share by the
            name of the layer, where layers that are not named are left out.
        begin: When the first zeros come, as a fraction of the training, in [0, 1).
        end: When the sparsity is reached, as a fraction of the training, in (begin, 1].
        depthwise: Whether depthwise kernels are pruned too. They are a small part of
            the weights, and the most sensitive one.
        skip: Names of further layers to leave out: they get no more zeros, but are
            trained with the others.
        keep_clusters: True refuses a model with kernels of few distinct values, such as
            `cluster` makes: pruning trains each weight on its own, which destroys
            shared values. False prunes it all the same, for example weights that were
            published in 8 bits.
        **training: See `mobilenet_tf.compression.fine_tuning.Training`.

    Returns:
        The pruned network.

    Raises:
        ValueError: An argument is out of its range, the model is clustered, or it has
            a layer that the toolkit cannot train.
        TypeError: There is no such further argument.
        ImportError: The toolkit is not installed.

    Source: Zhu and Gupta, "To prune, or not to prune", arXiv 1710.01878.
    """
    arguments.number("begin", begin, lambda value: 0 <= value < 1, "in [0, 1)")
    arguments.number(
        "end", end, lambda value: begin < value <= 1, f"in ({begin}, 1], after begin"
    )
    arguments.one_of("keep_clusters", keep_clusters, (True, False))
    model, recipe = checked(prune, model, data, recipe, training, optional=False)
    if isinstance(sparsity, Mapping):
        names = kernels.by_name(model)
        arguments.names("sparsity", sparsity, names)
        depthwise, skip = True, {*names} - {*sparsity} | {*skip}
    chosen, left_out = kernels.chosen(model, depthwise, skip)
    sparsities = _sparsities(sparsity, chosen)
    if keep_clusters:
        kernels.check_not_clustered(model)
    shares = sorted(set(sparsities.values()))
    return fine_tune(
        f"prune: sparsity {', '.join(f'{share:g}' for share in shares)}",
        model,
        copy_of(model),
        data,
        recipe,
        left_out=left_out,
        wrapping=toolkit().Pruning(sparsities, begin, end),
        notes=[_PRUNED_FILES],
        **training,
    )


def cluster(
    model: keras.Model,
    data: DataSet | None = None,
    recipe: Recipe | str | None = None,
    *,
    clusters: int,
    depthwise: bool = True,
    skip: Collection[str] = (),
    **training: Unpack[Training],
) -> keras.Model:
    """Let the weights of every kernel share a few values; zeros stay zeros.

    Args:
        model: A trained classifier of stock layers.
        data: The data set to train on; None shares the values without training.
        recipe: How: a name in `mobilenet_tf.training.RECIPES`, or a recipe; None means
            "compress".
        clusters: Distinct values of each kernel, zero included, from 2, or from 3 where
            a kernel has zeros, to 256.
        depthwise: Whether the values of depthwise kernels are shared too.
        skip: Names of further layers to leave out: their weights are trained each on
            its own, but for zeros, which stay.
        **training: See `mobilenet_tf.compression.fine_tuning.Training`.

    Returns:
        The network with shared weights.

    Raises:
        ValueError: An argument is out of its range, a kernel has fewer distinct values
            than there are clusters, or the model has a layer that the toolkit cannot
            train.
        TypeError: There is no such further argument.
        ImportError: Data is given, and the toolkit is not installed.

    Source: Han et al., "Deep Compression", arXiv 1510.00149, section 3.
    """
    kernels.check_clusters(clusters)
    model, recipe = checked(cluster, model, data, recipe, training, optional=True)
    chosen, left_out = kernels.chosen(model, depthwise, skip)
    kernels.check_enough_values(chosen, clusters)
    wrapper = toolkit().Clustering if data is not None else lambda codebooks: None
    codebooks = {
        name: codebook(values, clusters, keep_zeros=True)
        for name, values in chosen.items()
    }
    result = copy_of(model)
    kernels.replace(
        result, {name: nearest(chosen[name], codebooks[name]) for name in chosen}
    )
    return fine_tune(
        f"cluster: {clusters} values",
        model,
        result,
        data,
        recipe,
        left_out=left_out,
        wrapping=wrapper(codebooks),
        **training,
    )


def quantize(
    model: keras.Model,
    data: DataSet,
    recipe: Recipe | str | None = None,
    *,
    keep_clusters: bool = True,
    **training: Unpack[Training],
) -> keras.Model:
    """Train with weights and feature maps in 8 bits; zeros and shared values stay.

    Every kernel of the result has weights that are whole multiples of a scale, from
    -127 to 127 of them, so that `mobilenet_tf.export.litert` with "int8" rounds none of
    them again. There is one scale for each filter, or for each channel of a depthwise
    kernel.

    Weights that are zero stay zero. In a kernel of at most 256 distinct values besides
    zero, with at least twice as many weights that are not zero, weights that are equal
    stay equal, and the whole kernel has one scale: a codebook of 16 values stays one of
    at most 16 values, and the codec's file does not grow. `cluster` makes such kernels,
    and so do weights that were published in 8 bits.

    Args:
        model: A trained classifier of stock layers.
        data: What it is trained on.
        recipe: How: a name in `mobilenet_tf.training.RECIPES`, or a recipe; None means
            "compress".
        keep_clusters: Whether shared values stay shared. False trains every weight on
            its own, with a scale for each filter.
        **training: See `mobilenet_tf.compression.fine_tuning.Training`.

    Returns:
        The quantised network, in float32.

    Raises:
        ValueError: Data is None, or the model has a layer that the toolkit
            cannot train or quantise; nothing is evaluated or trained before.
        TypeError: There is no such further argument.
        ImportError: The toolkit is not installed.

    Source: Jacob et al., arXiv 1712.05877, section 3.
    """
    arguments.one_of("keep_clusters", keep_clusters, (True, False))
    model, recipe = checked(quantize, model, data, recipe, training, optional=False)
    kernels.chosen(model, depthwise=True, skip=())  # raises where there is none
    return fine_tune(
        "quantize: 8 bits",
        model,
        copy_of(model),
        data,
        recipe,
        wrapping=toolkit().Quantization(keep_clusters),
        **training,
    )


def _sparsities(sparsity, names):
    """The share of zeros by the name of the layer; raises for an illegal share."""
    sparsities = {
        name: sparsity[name] if isinstance(sparsity, Mapping) else sparsity
        for name in names
    }
    for share in sparsities.values():
        kernels.check_sparsity(share)
    return sparsities


TRAINED_BY_TOOLKIT = (prune, cluster, quantize)  # others do without the toolkit
