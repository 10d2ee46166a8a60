"""Mean average precision, of multi-label images."""

from __future__ import annotations

import numpy as np


def mean_average_precision(targets: np.ndarray, scores: np.ndarray) -> float:
    """Mean over the attributes of their average precision.

    The measure of arXiv 1704.04861, Table 12. An attribute that no image has does not
    count; images of equal score come together, so that their order is nothing.

    Args:
        targets: 0 and 1, `(images, attributes)`.
        scores: Of the same shape, the higher, the more likely.

    Raises:
        ValueError: No image has any attribute, or a score is not finite.
    """
    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite, got others: the network has diverged")
    occurring = targets.any(0)
    if not occurring.any():
        raise ValueError("no image has any attribute, so that none can be measured")
    pairs = zip(targets[:, occurring].T, scores[:, occurring].T, strict=True)
    return float(np.mean([_average_precision(*pair) for pair in pairs]))


def _average_precision(targets, scores):
    order = np.argsort(-scores)
    hits, falling = targets[order], -scores[order]
    # At each image the precision of all that score as high.
    count = np.searchsorted(falling, falling, side="right")
    precision = hits.cumsum()[count - 1] / count
    return precision[hits > 0].mean()
