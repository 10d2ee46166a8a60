"""Images to verify and calibrate files, and their conversion to inputs.

Images are uint8 `(H, W, 3)`, pixels are float32 from 0 to 255 at a network's own size.
No other form is passed on: `scaled` alone turns pixels into values of an input range.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Sequence

import numpy as np
import tensorflow as tf

from mobilenet_tf.data.dataset import DataSet, Split
from mobilenet_tf.data.photographs import image_files, read_image, readable
from mobilenet_tf.data.preprocessing import Preprocessing

# Of a data set: enough for half a percent of top-1, and read in seconds.
VERIFICATION_IMAGES = 400


@dataclasses.dataclass(frozen=True)
class Examples:
    """The images that a file is verified on.

    Attributes:
        images: uint8 `(H, W, 3)` of any sizes.
        classes: The true class of each image; None where they are not known.
        source: Which images they are, to be read after their number.
        given: Whether they are the caller's, rather than the default crops.
    """

    images: list[np.ndarray]
    classes: np.ndarray | None = None
    source: str = "images given, which must not be training images"
    given: bool = True

    @classmethod
    def of(
        cls,
        images: Sequence[np.ndarray] | None,
        classes: Sequence[int] | None,
        labels: Sequence[str] | None,
    ) -> Examples:
        """Check the caller's images and classes.

        Args:
            images: None means the crops of `default_images`.
            classes: The true class of each image, from 0; None where not known.
            labels: Names of the network's classes; None where it gives features.

        Raises:
            ValueError: An argument does not fit.
        """
        checked = default_images() if images is None else check_images(images)
        known = None
        if classes is not None:
            known = _check_classes(classes, len(checked), labels)
        if images is None:
            return cls(checked, known, "crops of one photograph", given=False)
        return cls(checked, known)

    @classmethod
    def of_data_set(cls, data: DataSet, classifies: bool) -> Examples:
        """Images of a data set's evaluation split, with their classes.

        Args:
            data: Of the network's classes, which is checked where labels are.
            classifies: Whether the network classifies, rather than gives features.

        Raises:
            ValueError: The split is empty.
        """
        metadata = data.metadata
        images, labels = split_images(data.evaluation, VERIFICATION_IMAGES)
        source = f"split {metadata.evaluation_split!r} of {metadata.name!r}"
        if len(images) == data.evaluation.size:
            source = f"images, all of {source}"
        else:
            source = (
                f"of the {data.evaluation.size:,} images of {source}, drawn at random"
            )
        labelled = classifies and not data.unlabelled and not data.multi_label
        return cls(images, labels if labelled else None, source)


def split_images(split: Split, maximum: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Images of a split, uint8 `(S, S, 3)`, and their labels.

    Args:
        split: Of a data set.
        maximum: The most images; of a larger split they are drawn at random, always
            the same ones.

    Raises:
        ValueError: The split is empty.
    """
    if not split.size:
        raise ValueError("data must have images in both splits, but one is empty")
    count = min(maximum, split.size)
    seed = None if count == split.size else [0, 0, 0]
    batch = next(iter(split.epoch(count, seed=seed)))
    return list(batch.images.transpose(0, 1, 3, 2)), batch.labels


def check_images(
    images: Sequence[np.ndarray], name: str = "images"
) -> list[np.ndarray]:
    """The images as a list.

    Args:
        images: As the caller gave them.
        name: The argument's.

    Raises:
        ValueError: There are none, or one is not uint8 `(H, W, 3)`.
    """
    if isinstance(images, str) or not isinstance(images, Iterable):
        raise ValueError(f"{name} must be a sequence of arrays, got {images!r}")
    images = list(images)
    for image in images:
        dtype = getattr(image, "dtype", None)
        shape: tuple[int, ...] = getattr(image, "shape", ())
        if dtype != "uint8" or len(shape) != 3 or shape[-1] != 3 or 0 in shape:
            what = type(image).__name__ if dtype is None else f"{dtype} {shape}"
            raise ValueError(f"{name} must be uint8 of shape (H, W, 3), got {what}")
    if not images:
        raise ValueError(f"{name} must hold at least one image, got none")
    return images


def _check_classes(classes, count, labels):
    if labels is None:
        raise ValueError("classes must be None for a network without a classifier")
    array = np.asarray(classes)
    if array.shape != (count,):
        raise ValueError(
            f"classes must hold one class for each of {count} images, got an array of "
            f"shape {array.shape}"
        )
    last = len(labels) - 1
    if array.dtype.kind not in "iu" or array.min() < 0 or array.max() > last:
        raise ValueError(
            f"classes must be integers from 0 to {last}, got {list(classes)[:5]}"
        )
    return array


def resized(
    images: Sequence[np.ndarray],
    side: int,
    preprocessing: Preprocessing | None = None,
) -> np.ndarray:
    """Images at a network's size: float32 `(images, side, side, 3)` from 0 to 255.

    Args:
        images: uint8 `(H, W, 3)` of any sizes.
        side: In pixels.
        preprocessing: None means TF-Slim's crop and interpolation.
    """
    preprocessing = preprocessing or Preprocessing()

    image_of_any_size = [tf.TensorSpec((None, None, 3), tf.uint8)]

    @tf.function(input_signature=image_of_any_size, autograph=False)
    def resize(image):
        return preprocessing.resize(image, side)

    return np.stack([resize(image) for image in images])


def scaled(pixels: np.ndarray, value_range: tuple[float, float]) -> np.ndarray:
    """Pixels from 0 to 255 as float32 values, black and white as `value_range`."""
    low, high = value_range
    return (low + pixels * ((high - low) / 255)).astype("float32")


def default_images(count: int = 16, seed: int = 0) -> list[np.ndarray]:
    """Crops of one real photograph, uint8 `(H, W, 3)` of unequal sizes.

    For callers without images of their own: cut from the portrait that comes with
    matplotlib, at random positions, of random sizes, half of them mirrored.
    """
    from matplotlib import cbook
    from PIL import Image

    file = cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    photograph = np.asarray(Image.open(file).convert("RGB"))
    rng = np.random.default_rng(seed)
    crops = []
    for _ in range(count):
        height, width = rng.integers(120, min(photograph.shape[:2]), 2)
        top = rng.integers(photograph.shape[0] - height + 1)
        left = rng.integers(photograph.shape[1] - width + 1)
        crop = photograph[top : top + height, left : left + width]
        crops.append(crop[:, :: rng.choice([-1, 1])])
    return crops


def read_folder(
    folder: str | os.PathLike,
    labels: Sequence[str] | None = None,
    maximum: int = 400,
    skip_unreadable: bool = False,
) -> tuple[list[np.ndarray], list[int] | None]:
    """The photographs below a folder, evenly from all of it.

    Args:
        folder: Where they are.
        labels: Names of the classes.
        maximum: How many to read.
        skip_unreadable: Leave out files that cannot be read, with a warning.

    Returns:
        The images, uint8 `(H, W, 3)`, and their classes: None if not each image lies in
        a folder that has the name of a class.

    Raises:
        ValueError: There are fewer than two, or some of those cannot be read.
    """
    files = image_files(folder)
    step = max(-(-len(files) // maximum), 1)
    files = readable(files[::step], skip_unreadable)
    if len(files) < 2:
        raise ValueError(
            f"images must be a folder with at least two image files, "
            f"got {str(folder)!r} with {len(files)}"
        )
    numbers = {label: number for number, label in enumerate(labels or ())}
    images = [read_image(file) for file in files]
    if not all(file.parent.name in numbers for file in files):
        return images, None
    return images, [numbers[file.parent.name] for file in files]
