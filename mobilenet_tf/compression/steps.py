"""Pruning, clustering and quantisation of a trained network, with training in between.

Each step takes a Keras model and gives a new one of the same stock layers; the model it
is given stays as it is. They combine in this order, any of them left out: prune; then
cluster, which keeps the zeros; then quantize, which keeps the zeros, and lets weights
that are equal inside a filter stay equal. Another order loses what was done before:
training after cluster or quantize, pruning's too, moves every weight on its own, and
prune refuses a network that is clustered. `remove_channels` and `low_rank` come first.

The training is that of `mobilenet_tf.training.loop`, around the wrappers of the Model
Optimization Toolkit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import keras
import numpy as np

from mobilenet_tf import arguments
from mobilenet_tf.compression import kernels, wrapped
from mobilenet_tf.compression.codebooks import codebook, nearest
from mobilenet_tf.compression.tuning import check
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.training.recipe import Recipe


def prune(
    model: keras.Model,
    data: DataSet,
    recipe: Recipe,
    *,
    sparsity: float | Mapping[str, float],
    begin: float = 0.0,
    end: float = 0.5,
    depthwise: bool = False,
    skip: Collection[str] = (),
    **training,
) -> keras.Model:
    """Set the smallest weights of every kernel to zero, more and more of them.

    Args:
        model: A trained classifier, flat and functional, of stock layers.
        data: What it is trained on.
        recipe: How; the rate is usually lower than that of the training before.
        sparsity: Share of zeros in each kernel in the end, in [0, 1); or the share by
            the name of the layer, where those that are not named are left out.
        begin: When the first zeros come, as a fraction of the training, in [0, 1).
        end: When the sparsity is reached, as a fraction of the training, in (begin, 1].
        depthwise: Whether depthwise kernels are pruned too. They are a small part of
            the weights, and the most sensitive one.
        skip: Names of further layers to leave out: they get no more zeros, but are
            trained with the others.
        **training: `seed`, `snapshot_path` and `on_epoch` as
            `mobilenet_tf.training.classifier.fit` takes them; `report` is called with
            the `Report` of what was done, and prints it by default.

    Returns:
        The pruned network.

    Raises:
        ValueError: An argument is out of its range, the model is clustered, or it has
            a layer that the toolkit cannot take.

    Source: Zhu and Gupta, "To prune, or not to prune", arXiv 1710.01878.
    """
    arguments.number("begin", begin, lambda value: 0 <= value < 1, "in [0, 1)")
    arguments.number(
        "end", end, lambda value: begin < value <= 1, f"in ({begin}, 1], after begin"
    )
    check("prune", model, data, recipe, training)
    if isinstance(sparsity, Mapping):
        named = kernels.by_name(model)
        arguments.names("sparsity", sparsity, named)
        depthwise, skip = True, {*named} - {*sparsity} | {*skip}
    chosen, left_out = kernels.chosen(model, depthwise, skip)
    sparsities = _by_name(sparsity, chosen)
    _check_not_clustered(model)
    settings = {"sparsities": sparsities, "begin": begin, "end": end}

    def prepare(result, bridge):
        return bridge.prune(sparsities, begin, end)

    shares = sorted(set(sparsities.values()))
    title = f"prune: sparsity {', '.join(f'{share:g}' for share in shares)}"
    return wrapped.train(
        title, model, data, recipe, prepare, left_out, settings=settings, **training
    )


def cluster(
    model: keras.Model,
    data: DataSet | None = None,
    recipe: Recipe | None = None,
    *,
    clusters: int,
    depthwise: bool = True,
    skip: Collection[str] = (),
    **training,
) -> keras.Model:
    """Let the weights of every kernel share a few values; zeros stay zeros.

    Args:
        model: A trained classifier, flat and functional, of stock layers.
        data: What it is trained on; None shares the values without training.
        recipe: How; None shares the values without training.
        clusters: Distinct values of each kernel, zero included, from 2, or from 3 where
            a kernel has zeros, to 256.
        depthwise: Whether the values of depthwise kernels are shared too.
        skip: Names of further layers to leave out: their weights are trained each on
            its own, but for zeros, which stay.
        **training: As `prune`.

    Returns:
        The network with shared weights.

    Raises:
        ValueError: An argument is out of its range, a kernel has fewer distinct values
            than there are clusters, or the model has a layer that the toolkit cannot
            take.

    Source: Han et al., "Deep Compression", arXiv 1510.00149, section 3.
    """
    arguments.integer("clusters", clusters, 2)
    if clusters > kernels.MOST_VALUES:
        raise ValueError(
            f"clusters must be at most {kernels.MOST_VALUES}, got {clusters}"
        )
    check("cluster", model, data, recipe, training, optional=True)
    chosen, left_out = kernels.chosen(model, depthwise, skip)
    codebooks = {name: _codebook(name, one, clusters) for name, one in chosen.items()}

    def prepare(result, bridge):
        shared = {name: nearest(one, codebooks[name]) for name, one in chosen.items()}
        kernels.replace(result, shared)
        return bridge and bridge.cluster(codebooks)

    title = f"cluster: {clusters} values"
    return wrapped.train(
        title, model, data, recipe, prepare, left_out, settings={}, **training
    )


def quantize(
    model: keras.Model, data: DataSet, recipe: Recipe, **training
) -> keras.Model:
    """Train with weights and feature maps in 8 bits; zeros and sharing stay.

    Every filter of the result has weights that are whole multiples of a scale, from
    -127 to 127 of them, so that `mobilenet_tf.export.litert_file` with "int8" rounds no
    weight of a Conv2D again. A depthwise or fully connected kernel has one scale in
    all, and filters that use little of its range may be rounded again.

    Weights that are zero stay zero, and weights of one scale that are equal stay equal.
    As each filter has a scale of its own, the values of one are not those of another
    any more: what is shared inside filters stays so, a codebook of the kernel does not.

    Args:
        model: A trained classifier, flat and functional, of stock layers.
        data: What it is trained on.
        recipe: How.
        **training: As `prune`.

    Returns:
        The quantised network, in float32.

    Raises:
        ValueError: Data or recipe is none, or the model has a layer that the toolkit
            cannot take.
        TypeError: There is no such further argument.

    Source: Jacob et al., arXiv 1712.05877, section 3.
    """
    check("quantize", model, data, recipe, training)
    kernels.chosen(model, True, ())  # raises where there is none

    def prepare(result, bridge):
        return bridge.quantize()

    title = "quantize: 8 bits"
    return wrapped.train(
        title, model, data, recipe, prepare, [], settings={}, stock=True, **training
    )


def _by_name(sparsity, names):
    """The share of zeros by the name of the layer; raises where one is not legal."""
    sparsities = {
        name: sparsity[name] if isinstance(sparsity, Mapping) else sparsity
        for name in names
    }
    for share in sparsities.values():
        arguments.number("sparsity", share, lambda value: 0 <= value < 1, "in [0, 1)")
    return sparsities


def _check_not_clustered(model):
    for name, values in kernels.by_name(model).items():
        if kernels.clustered(values):
            raise ValueError(
                "model must not be clustered, since pruning loses shared values: prune "
                f"before cluster; got {len(np.unique(values))} values for "
                f"{values.size:,} weights of {name!r}"
            )


def _codebook(name, values, clusters):
    """Where the values of a kernel begin; raises where it has not enough."""
    distinct = len(np.unique(values))
    if distinct < clusters:
        raise ValueError(
            f"clusters must be at most the {distinct} distinct values of {name!r}, got "
            f"{clusters}; name the layer in skip to leave it out"
        )
    if clusters == 2 and (values == 0).any():
        raise ValueError(
            f"clusters must be at least 3 where zeros stay, as in {name!r}, got 2"
        )
    return codebook(values, clusters, keep_zeros=True)
