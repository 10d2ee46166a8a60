"""How much the seeds of a network differ, pooled over many networks.

The few seeds of one network say little. What makes a seed better, such as beginning to
learn a little earlier, moves the logit of the accuracy: an accuracy p by p (1 - p)
where the logit moves by one. So seeds differ little near 100 %, and most at 50 %;
pooled is the standard deviation of the logit.
"""

from __future__ import annotations

import collections
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from mobilenet_tf.analysis import table

_NEAREST = 0.01  # p (1 - p) of 99 %, beyond which images are too few to tell

Accuracy = TypeVar("Accuracy", float, np.ndarray)


def of_logits(results: Sequence[dict], metric: str) -> float:
    """Pooled standard deviation of the logit of an accuracy over the seeds.

    0 if no network has several seeds.
    """
    accuracies = collections.defaultdict(list)
    for record in results:
        accuracies[record["network_key"]].append(record["metrics"][metric])
    several = [seeds for seeds in accuracies.values() if len(seeds) > 1]
    freedom = sum(len(seeds) - 1 for seeds in several)
    squares = sum(
        (table.spread(seeds) / _slope(table.mean(seeds))) ** 2 * (len(seeds) - 1)
        for seeds in several
    )
    return (squares / freedom) ** 0.5 if several else 0.0


def at(accuracy: Accuracy, spread: float) -> Accuracy:
    """The standard deviation over seeds of an accuracy, as fractions.

    Args:
        accuracy: One, or an array.
        spread: As `of_logits` gives it.
    """
    return spread * _slope(accuracy)


def _slope(accuracy):
    """By how much an accuracy moves where its logit moves by one."""
    return np.maximum(accuracy * (1 - accuracy), _NEAREST)
