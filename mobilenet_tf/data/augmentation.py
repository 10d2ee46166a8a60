"""How training images are augmented: crops, mirroring, blends of two images.

All of it is numbers for each image, which follow from a generator; the network's first
layer, `mobilenet_tf.training.cropping.CropResize`, applies them.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mobilenet_tf.data.boxes import mirrored, random_boxes
from mobilenet_tf.data.dataset import WHOLE, Batch, Share

ALTERNATING = "alternating"
# The golden ratio in 64 bits: multiples of it are spread evenly (Knuth, section 6.4).
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """What happens to an image before the network sees it.

    Args:
        min_area: Smallest random crop as a fraction of the image's area, in (0, 1].
        flip: True mirrors half of the crops at random; "alternating" shows each image
            as it is and mirrored in turn, from a random first; False mirrors none.
        mixup: Parameter of the Beta distribution of the shares of two blended images;
            0 blends none.
        cutmix: The same, for a part of one image in a box of another. Where both are
            given, each pair of images has one of the two, at even odds.
    """

    min_area: float = 0.35
    flip: bool | str = True
    mixup: float = 0.0
    cutmix: float = 0.0

    @property
    def blends(self) -> bool:
        """Whether images are blended with others."""
        return self.mixup > 0 or self.cutmix > 0

    @property
    def numbers(self) -> int:
        """Numbers for each image: a crop box, and a blend where there is one."""
        return 9 if self.blends else 4

    def crops(
        self,
        batch: Batch,
        rng: np.random.Generator,
        seed: int,
        epoch: int,
        share: Share = WHOLE,
    ) -> np.ndarray:
        """Crop boxes, and blends where there are any, float32 `(n, 4)` or `(n, 9)`.

        Args:
            batch: The images.
            rng: Source of all that is random in an epoch.
            seed: Seed of the first orientation, where they alternate.
            epoch: Number of the epoch, from 0.
            share: Whose rows of a batch the images are; an even number of them where
                they are blended.
        """
        at_random = self.flip is True
        boxes = random_boxes(
            rng, batch.aspects, self.min_area, flip=at_random, share=share
        )
        if self.flip == ALTERNATING:
            turned = first_orientations(batch.images, seed) ^ (epoch % 2 == 1)
            boxes = np.where(turned[:, None], mirrored(boxes), boxes)
        if not self.blends:
            return boxes
        count = len(batch) * share.count
        return np.hstack([boxes, self._blends(rng, count)[share.rows(count)]])

    def _blends(self, rng, count):
        """`(share, top, left, bottom, right)` of the partner, the same for a pair."""
        pairs = count // 2
        cut = rng.random(pairs) < (self.cutmix > 0) / (1 + (self.mixup > 0))
        share = np.where(
            cut,
            rng.beta(self.cutmix or 1, self.cutmix or 1, pairs),
            rng.beta(self.mixup or 1, self.mixup or 1, pairs),
        )
        half = np.sqrt(share)[:, None] / 2
        centre = rng.uniform(0, 1, (pairs, 2))
        box = np.hstack([centre - half, centre + half]).clip(0, 1)
        box[~cut] = 0, 0, 1, 1
        blends = np.column_stack([np.where(cut, 1, share), box])
        return blends.repeat(2, axis=0).astype("float32")


def first_orientations(images: np.ndarray, seed: int) -> np.ndarray:
    """Whether each image is mirrored in even epochs, bool `(n,)`.

    It follows from the pixels, so that order and source of the images do not matter.

    Args:
        images: uint8 `(n, S, 3, S)`.
        seed: Other seeds begin otherwise.
    """
    sums = images.sum(axis=(1, 2, 3), dtype=np.uint64)
    return (sums + np.uint64(seed) + np.uint64(1)) * _SPREAD >> np.uint64(63) == 1


def blended(targets: np.ndarray, crops: np.ndarray) -> np.ndarray:
    """Targets of images that are blended with their partners, of the same shape.

    Neighbours are partners: the first and the second image, the third and the fourth.

    Args:
        targets: `(n, classes)` of the images alone.
        crops: Of `Augmentation.crops`.
    """
    if crops.shape[1] == 4:
        return targets
    weight, top, left, bottom, right = crops[:, 4:].T
    share = (weight * (bottom - top) * (right - left))[:, None]
    partners = targets.reshape(-1, 2, targets.shape[1])[:, ::-1].reshape(targets.shape)
    return (1 - share) * targets + share * partners
