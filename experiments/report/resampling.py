"""Accuracies resampled within the error of the validation images and of the seeds.

All networks of a table are evaluated on the same images. Where the records say which
of them each network got right, the images are resampled for all networks together:
what is hard for one is mostly hard for the other, so that their difference is known
better than either accuracy. This is the bootstrap of McNemar's comparison.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from experiments.report.seed_spread import at
from experiments.trials import bitmap
from mobilenet_tf.analysis import table

DRAWS = 4000


def resampled(
    networks: Sequence[Sequence[dict]],
    metric: str = "top1",
    seed_spread: float = 0.0,
    draws: int = DRAWS,
) -> np.ndarray:
    """Resampled mean accuracies, `(draws, networks)`, as fractions.

    Images are resampled in pairs if every record has a bitmap of the images that were
    right, and independently for each network otherwise. The same arguments give the
    same numbers.

    Args:
        networks: The records of each network, one for each seed.
        metric: Which accuracy; only "top1" can be paired.
        seed_spread: See `experiments.report.seed_spread`; 0 where unknown.
        draws: Number of resamples.
    """
    generator = np.random.default_rng(0)
    if not is_paired(networks, metric):
        means, errors = _independent(networks, metric, seed_spread)
        return generator.normal(means, errors, (draws, len(networks)))
    right = np.stack([_share_right(records) for records in networks], axis=1)
    # Images with the same outcome in all networks are interchangeable: count them.
    outcomes, counts = np.unique(right, axis=0, return_counts=True)
    images = len(right)
    weights = generator.multinomial(images, counts / images, draws)
    seeds = np.array([len(records) for records in networks])
    errors = at(right.mean(0), seed_spread) / np.sqrt(seeds)
    shift = generator.normal(0.0, errors, (draws, len(networks)))
    return weights @ outcomes / images + shift


def is_paired(networks: Sequence[Sequence[dict]], metric: str = "top1") -> bool:
    """Whether all records have the correctness of every image, of the same images."""
    bitmaps = [record.get("correct") for records in networks for record in records]
    return (
        metric == "top1"
        and all(bitmaps)
        and len({correct["images"] for correct in bitmaps}) == 1
    )


def _share_right(records):
    """For each image the share of seeds that got it right."""
    return np.mean([bitmap.decode(record["correct"]) for record in records], axis=0)


def _independent(networks, metric, seed_spread):
    """Mean and standard error of each network."""
    means, errors = [], []
    for records in networks:
        mean = table.mean([record["metrics"][metric] for record in records])
        images = records[0]["data"]["evaluation_size"]
        variance = mean * (1 - mean) / images + at(mean, seed_spread) ** 2 / len(
            records
        )
        means.append(mean)
        errors.append(variance**0.5)
    return means, errors
