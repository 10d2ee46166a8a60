"""Crop boxes for whole batches: which part of each image the network sees.

A box is `(top, left, bottom, right)` in fractions of the image. A mirrored box has
`left > right`, so flipping costs nothing. Sampling is plain numpy and depends on the
generator alone; `mobilenet_tf.training.cropping.CropResize` cuts the boxes out.
"""

import numpy as np

from mobilenet_tf.data.dataset import WHOLE, Share


def central_boxes(count: int, fraction: float = 0.875) -> np.ndarray:
    """The same central box for `count` images, float32 `(count, 4)`.

    The middle `fraction` of the height and of the width, whatever the aspect ratio:
    what TF-Slim's evaluation preprocessing does.
    """
    margin = (1 - fraction) / 2
    box = np.array([margin, margin, 1 - margin, 1 - margin], "float32")
    return np.tile(box, (count, 1))


def random_boxes(
    rng: np.random.Generator,
    aspects: np.ndarray,
    min_area: float,
    max_stretch: float = 4 / 3,
    flip: bool = True,
    share: Share = WHOLE,
) -> np.ndarray:
    """One random resized crop per image, mirrored half of the time, float32 `(n, 4)`.

    The area is uniform in `[min_area, 1]` of the image and the aspect ratio of the
    crop log-uniform in `[1 / max_stretch, max_stretch]`; a crop that would be larger
    than the image is clipped to it.

    Args:
        rng: Source of all randomness.
        aspects: Width / height of each original image, shape `(n,)`.
        min_area: Smallest area as a fraction of the image, in (0, 1].
        max_stretch: Largest aspect ratio of a crop, at least 1.
        flip: Whether to mirror left and right.
        share: Whose rows of a batch the images are; their boxes are those that the
            whole batch would give them.
    """
    count = len(aspects) * share.count

    def uniform(low, high):
        return rng.uniform(low, high, count)[share.rows(count)]

    area = uniform(min_area, 1)
    stretch = np.exp(uniform(-1, 1) * np.log(max_stretch)) / aspects
    height = np.minimum(np.sqrt(area / stretch), 1)
    width = np.minimum(np.sqrt(area * stretch), 1)
    top = uniform(0, 1) * (1 - height)
    left = uniform(0, 1) * (1 - width)
    boxes = np.stack([top, left, top + height, left + width], axis=1).astype("float32")
    turned = uniform(0, 1) < (0.5 if flip else 0)
    return np.where(turned[:, None], mirrored(boxes), boxes)


def mirrored(boxes: np.ndarray) -> np.ndarray:
    """The same boxes, `(n, 4)`, with left and right exchanged."""
    return boxes[:, [0, 3, 2, 1]]
