"""A data set from images and labels that are in memory."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from mobilenet_tf.data import storage
from mobilenet_tf.data.arrays import ArraySplit
from mobilenet_tf.data.dataset import Batch, DataSet, DatasetMetadata
from mobilenet_tf.data.splitting import (
    check_split,
    fingerprint,
    listed,
    split_by_content,
)

Images = np.ndarray | Sequence[np.ndarray]
Labels = np.ndarray | Sequence[int] | Sequence[str]


def from_arrays(
    images: Images,
    labels: Labels,
    validation: float | tuple[Images, Labels] = 0.1,
    *,
    class_names: Sequence[str] | None = None,
    seed: int = 0,
    base_resolution: int | None = None,
    to_rgb: bool = False,
    name: str = "arrays",
    report: Callable[[str], None] = print,
) -> DataSet:
    """Images in memory, ready for training.

    Args:
        images: uint8 `(n, height, width, 3)`, or a sequence of `(height, width, 3)` of
            any sizes.
        labels: `(n,)` or `(n, 1)` classes from 0, or names of classes; or
            `(n, attributes)` of 0 and 1 for a multi-label data set.
        validation: Share of each class that is held out for evaluation, in (0, 1); or
            the validation images and their labels.
        class_names: Names of the classes or attributes in index order; None means the
            sorted names among the labels, or their numbers.
        seed: Seed of the choice of validation images. Equal images are on one side.
        base_resolution: Input side in pixels at rho 1; None means 224, or the side of
            the images where all have one that is smaller.
        to_rgb: Repeat a grey channel and drop an alpha channel.
        name: Name of the data set, for records.
        report: Called with a line that describes the data set.

    Returns:
        The two splits and their metadata. The version is a hash of images and labels.

    Raises:
        ValueError: Images or labels have another type, shape or range; there are fewer
            than two classes, or fewer than two different images of a class; or
            validation images are training images too, or of a class without any.
    """
    storage.check_options(base_resolution, "arrays")
    pairs = [("images", images, labels)]
    if isinstance(validation, int | float):
        check_split(validation, seed)
    elif isinstance(validation, tuple) and len(validation) == 2:
        pairs.append(("validation", *validation))
    else:
        raise ValueError(
            f"validation must be a fraction or (images, labels), got {validation!r}"
        )
    pairs = [(argument, given, _column(each)) for argument, given, each in pairs]
    names = _class_names(class_names, [pair[2] for pair in pairs])
    parts = [_part(*pair, names, to_rgb) for pair in pairs]
    multi_label = parts[0].labels.ndim == 2
    if isinstance(validation, int | float):
        groups = [0] * len(images) if multi_label else parts[0].labels.tolist()
        group_names = (name,) if multi_label else names
        rows = split_by_content(parts[0].digests, groups, group_names, validation, seed)
        parts = [parts[0].at(side) for side in rows]
    else:
        _check_no_overlap(*(part.digests for part in parts))
        _check_all_trained(parts[0].labels, names)
    sizes = {image.shape[:2] for part in parts for image in part.images}
    size = sizes.pop() if len(sizes) == 1 else (None, None)
    base_resolution, side = storage.sides(base_resolution, size)
    train, evaluation = (part.split(side) for part in parts)
    metadata = DatasetMetadata(
        name=name,
        version=fingerprint(*(part.content() for part in parts)),
        train_split="train",
        evaluation_split="validation",
        train_size=train.size,
        evaluation_size=evaluation.size,
        class_names=names,
        side=side,
        base_resolution=base_resolution,
        to_rgb=to_rgb,
        multi_label=multi_label,
    )
    data = DataSet(train, evaluation, metadata)
    size_bytes = storage.decoded_bytes(train.size + evaluation.size, side)
    report(f"data: {data.describe()}, {storage.description(size_bytes, True)}")
    return data


@dataclasses.dataclass(frozen=True)
class _Part:
    """Checked images with their labels and the hashes of their content."""

    images: list[np.ndarray]
    labels: np.ndarray
    digests: list[str]

    def at(self, rows: np.ndarray) -> _Part:
        return _Part(
            [self.images[row] for row in rows],
            self.labels[rows],
            [self.digests[row] for row in rows],
        )

    def content(self) -> Iterable[object]:
        """What identifies the part."""
        return zip(self.digests, self.labels.tolist(), strict=True)

    def split(self, side: int) -> ArraySplit:
        stored = np.empty((len(self.images), side, 3, side), "uint8")
        for row, image in enumerate(self.images):
            stored[row] = storage.stored(image, side)
        aspects = [image.shape[1] / image.shape[0] for image in self.images]
        return ArraySplit(Batch(stored, np.array(aspects, "float32"), self.labels))


def _part(
    argument: str, images: Images, labels: Labels, names: Sequence[str], to_rgb: bool
) -> _Part:
    checked = _checked(argument, images, to_rgb)
    numbers = _numbers(labels, names, len(checked))
    return _Part(checked, numbers, [_digest(image) for image in checked])


def _checked(argument: str, images: Images, to_rgb: bool) -> list[np.ndarray]:
    """The images as uint8 `(height, width, 3)`."""
    if isinstance(images, str) or not hasattr(images, "__len__") or not len(images):
        raise ValueError(f"{argument} must be a sequence of images, got {images!r}")
    checked = []
    for index, image in enumerate(images):
        dtype, shape = getattr(image, "dtype", None), getattr(image, "shape", ())
        if dtype != "uint8" or len(shape) not in (2, 3) or 0 in shape:
            kind = type(image).__name__ if dtype is None else f"{dtype} {shape}"
            raise ValueError(
                f"{argument} must be uint8 of shape (height, width, 3), got {kind} at "
                f"index {index}"
            )
        image = image if len(shape) == 3 else image[..., None]
        channels = image.shape[-1]
        if channels != 3 and (channels not in (1, 4) or not to_rgb):
            raise ValueError(
                f"{argument} must have 3 channels, got {channels} at index {index}; "
                "to_rgb=True repeats a grey channel and drops alpha"
            )
        checked.append(np.repeat(image, 3, axis=2) if channels == 1 else image[..., :3])
    return checked


def _column(labels: Labels) -> np.ndarray:
    """Labels as an array; of one column that column, of Python strings text."""
    array = np.asarray(labels)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.dtype.kind == "O" and all(isinstance(label, str) for label in array.flat):
        array = array.astype(str)
    return array


def _class_names(
    names: Sequence[str] | None, labels: Sequence[Labels]
) -> tuple[str, ...]:
    arrays = [np.asarray(part) for part in labels]
    if names is None:
        if arrays[0].dtype.kind == "U":
            names = sorted({str(label) for part in arrays for label in part.flat})
        else:
            multi_label = arrays[0].ndim == 2
            last = arrays[0].shape[1] - 1 if multi_label else arrays[0].max(initial=0)
            names = [str(number) for number in range(int(last) + 1)]
    names = tuple(map(str, names))
    if len(set(names)) < len(names) or len(names) < 2:
        raise ValueError(f"there must be at least two different classes, got {names!r}")
    return names


def _numbers(labels: Labels, names: Sequence[str], count: int) -> np.ndarray:
    """int64 classes `(n,)`, or attributes `(n, attributes)`."""
    array = np.asarray(labels)
    if array.dtype.kind == "U":
        unknown = sorted(set(array.flat) - set(names))
        if unknown:
            raise ValueError(f"labels must be among class_names, got {unknown[0]!r}")
        array = np.array([names.index(label) for label in array.flat])
    shapes = ((count,), (count, len(names)))
    if array.dtype.kind not in "iub" or array.shape not in shapes:
        raise ValueError(
            f"labels must be integers or names of shape {shapes[0]}, or 0 and 1 of "
            f"shape {shapes[1]}, got {array.dtype} {array.shape}"
        )
    top = len(names) if array.ndim == 1 else 2
    if array.min() < 0 or array.max() >= top:
        raise ValueError(
            f"labels must be from 0 to {top - 1}, got {array.min()} to {array.max()}"
        )
    return array.astype("int64")


def _check_all_trained(labels: np.ndarray, names: Sequence[str]) -> None:
    if labels.ndim == 2:
        return  # an attribute may be absent
    missing = [name for index, name in enumerate(names) if index not in labels]
    if missing:
        raise ValueError(
            f"each class must have training images, but these do not:{listed(missing)}"
        )


def _digest(image: np.ndarray) -> str:
    content = repr(image.shape).encode() + np.ascontiguousarray(image).tobytes()
    return hashlib.sha256(content).hexdigest()


def _check_no_overlap(train: list[str], evaluation: list[str]) -> None:
    known = {digest: index for index, digest in enumerate(train)}
    pairs = [
        f"validation image {index} equals training image {known[digest]}"
        for index, digest in enumerate(evaluation)
        if digest in known
    ]
    if pairs:
        raise ValueError(
            f"{len(pairs)} validation images are training images too:{listed(pairs)}"
        )
