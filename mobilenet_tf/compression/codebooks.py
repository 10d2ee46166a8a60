"""K-means of weights, which in one dimension has an exact solution.

The usual way, Lloyd's iterations from evenly spaced values, ends with four to ten times
the error of the exact solution on the weights of SqueezeNet.
"""

from __future__ import annotations

import numpy as np

_BINS = 512  # of each kind, where there are more distinct values than both


def codebook(values: np.ndarray, clusters: int, keep_zeros: bool) -> np.ndarray:
    """The `clusters` values, in rising order, that are nearest to the given ones.

    The sum of squared distances is the least there is for up to 1024 distinct values;
    more are gathered into bins for the search, and the result is refined on all.

    Args:
        values: Any array of at least as many distinct values.
        clusters: How many, at least 2.
        keep_zeros: Whether values that are exactly zero keep a zero of their own.
    """
    values = np.sort(values, axis=None).astype("float64")
    if keep_zeros and (values == 0).any():
        others = codebook(values[values != 0], clusters - 1, keep_zeros=False)
        return np.sort(np.append(others[others != 0], np.float32(0)))
    starts = _bins(values)
    means = np.add.reduceat(values, starts) / _lengths(starts, values)
    edges = starts[_optimal_edges(means, _lengths(starts, values), clusters)]
    return np.unique(_refined(values, edges).astype("float32"))


def _bins(values):
    """Where each bin of sorted values starts: distinct values, where these are few."""
    starts = np.flatnonzero(np.diff(values, prepend=-np.inf))
    if len(starts) <= 2 * _BINS:
        return starts
    even = np.linspace(values[0], values[-1], _BINS, endpoint=False)
    cuts = np.concatenate([even, np.quantile(values, np.arange(_BINS) / _BINS)])
    return np.unique(np.searchsorted(values, cuts))


def _lengths(starts, values):
    return np.diff(starts, append=len(values)).astype("float64")


def _optimal_edges(means, counts, clusters):
    """At which bin each cluster starts, by dynamic programming over the last one."""
    moments = [
        np.concatenate([[0.0], np.cumsum(counts * means**power)]) for power in range(3)
    ]
    count, total, square = (sums[:, None] - sums[None, :] for sums in moments)
    later = count > 0  # [j, i]: the bins from i to before j, which are searched in rows
    distance = np.where(later, square - total**2 / np.where(later, count, 1), np.inf)
    best, choices = distance[:, 0], []
    with_last, rows = np.empty_like(distance), np.arange(len(distance))
    for _ in range(min(clusters, len(means)) - 1):
        np.add(best, distance, out=with_last)
        choices.append(with_last.argmin(1))
        best = with_last[rows, choices[-1]]
    edges = [len(means)]
    for choice in reversed(choices):
        edges.append(choice[edges[-1]])
    return np.array([0, *edges[:0:-1]])


def _refined(values, edges):
    """Lloyd's iterations: each value the mean of those that are nearest to it."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    centres = None
    for _ in range(1000):
        bounds = np.append(edges, len(values))
        moved = np.diff(sums[bounds]) / np.diff(bounds)
        if centres is not None and np.array_equal(moved, centres):
            break
        centres = moved
        middles = (centres[1:] + centres[:-1]) / 2
        edges = np.unique(np.append(0, np.searchsorted(values, middles)))
    return centres


def nearest(values: np.ndarray, codebook: np.ndarray) -> np.ndarray:
    """Every value replaced by the nearest of a codebook.

    With a zero in the codebook, zeros become zero and nothing else does.
    """
    others = codebook[codebook != 0]
    middles = (others[1:] + others[:-1]) / 2
    result = others[np.searchsorted(middles, values)]
    return np.where(values == 0, 0, result) if len(others) < len(codebook) else result
