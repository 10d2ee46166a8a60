"""What a TFDS data set holds: its splits, its features, and what does not fit."""

from __future__ import annotations

import dataclasses
import importlib

import numpy as np
import tensorflow_datasets as tfds

from mobilenet_tf.data.features import Labels, image_feature, label_feature
from mobilenet_tf.data.rendering import EMBEDDED

EVALUATION_SPLITS = ("validation", "test", "val", "valid")


@dataclasses.dataclass(frozen=True)
class Source:
    """A prepared TFDS data set of images with everything resolved.

    Attributes:
        builder: The TFDS builder, prepared.
        image_key: Name of the image feature.
        labels: What is said of the images.
        train_split: TFDS split string that is trained on.
        evaluation_split: TFDS split string that is evaluated.
        to_rgb: Whether one or four channels are turned into three.
    """

    builder: tfds.core.DatasetBuilder
    image_key: str
    labels: Labels
    train_split: str
    evaluation_split: str
    to_rgb: bool

    @property
    def name(self) -> str:
        info = self.builder.info
        config = self.builder.builder_config
        return f"{info.name}/{config.name}" if config else info.name

    @property
    def version(self) -> str:
        return str(self.builder.info.version)

    @property
    def image_shape(self) -> tuple[int | None, int | None, int | None]:
        return self.builder.info.features[self.image_key].shape

    def size(self, split: str) -> int:
        return self.builder.info.splits[split].num_examples


def open_source(
    name: str,
    data_dir: str | None = None,
    *,
    train_split: str | None = None,
    evaluation_split: str | None = None,
    image_key: str | None = None,
    label_key: str | None = None,
    limit: int | None = None,
    to_rgb: bool = False,
    unlabelled: bool = False,
    one_class: bool = False,
) -> Source:
    """Find, and where needed prepare, a TFDS data set of images.

    Args:
        name: TFDS name, `name`, `name/config` or `name/config:version`.
        data_dir: Directory of prepared data sets; None means TFDS' own.
        train_split: TFDS split to train on; None means "train".
        evaluation_split: TFDS split to evaluate; None means the first of "validation",
            "test", "val" and "valid" that exists.
        image_key: Image feature; None means the only one there is.
        label_key: Label feature: a ClassLabel; or, for images with any number of
            labels, a sequence of ClassLabel or a dictionary of booleans. None means the
            only ClassLabel there is, or else the only one of the others.
        limit: Use only the first so many examples of both splits.
        to_rgb: Repeat grey channels and drop an alpha channel.
        unlabelled: Take the images alone, whatever is said of them.
        one_class: Refuse images that have any number of labels.

    Raises:
        ValueError: There is no such data set, split or feature, or a split is empty, or
            it is refused.
    """
    builder = _prepared_builder(name, data_dir)
    features = builder.info.features
    image_key = image_feature(name, features, image_key)
    labels = label_feature(name, features, label_key, unlabelled)
    if one_class and labels.multi_label:
        raise ValueError(
            f"the images of data set {name!r} must have one class each, but feature "
            f"{labels.key!r} has any number of labels"
        )
    channels = features[image_key].shape[-1]
    if channels != 3 and not to_rgb:
        raise ValueError(
            f"feature {image_key!r} of data set {name!r} has {channels} channels, but "
            "3 are needed; pass --to_rgb to repeat a grey channel or drop alpha"
        )
    dtype = features[image_key].np_dtype
    if dtype != np.uint8:
        raise ValueError(
            f"feature {image_key!r} of data set {name!r} must be of 8 bits, got {dtype}"
        )
    train = _split(builder, "train_split", train_split, ("train",), limit)
    evaluation = _split(
        builder, "eval_split", evaluation_split, EVALUATION_SPLITS, limit
    )
    _check_apart(builder.info.splits, train, evaluation)
    return Source(
        builder,
        image_key,
        labels,
        train,
        evaluation,
        to_rgb,
    )


def _prepared_builder(name, data_dir):
    if name.partition("/")[0] == EMBEDDED:
        importlib.import_module("mobilenet_tf.data.embedded")  # registers the builder
    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except (tfds.core.DatasetNotFoundError, ValueError, AssertionError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(
            f"dataset must be a TFDS data set, built-in or prepared in data_dir, got "
            f"{name!r} with data_dir={data_dir!r} ({reason})"
        ) from error
    if builder.info.splits:
        return builder
    try:
        builder.download_and_prepare()
    except Exception as error:  # TFDS raises many kinds: network, disk, manual steps
        again = tfds.builder(name, data_dir=data_dir)
        if again.info.splits:  # another process has prepared it meanwhile
            return again
        raise ValueError(
            f"data set {name!r} is not prepared in {str(builder.data_path)!r} and "
            f"cannot be prepared now: {error}"
        ) from error
    return builder


def _split(builder, flag, given, candidates, limit):
    splits = builder.info.splits
    if given is None:
        given = next((name for name in candidates if name in splits), None)
        if given is None:
            raise ValueError(
                f"data set {builder.info.name!r} has no split named "
                f"{' or '.join(candidates)}; choose one with --{flag}, such as "
                f"--train_split='train[:90%]' --eval_split='train[90%:]'. Its splits "
                f"are {', '.join(splits)}"
            )
    if limit is not None:
        if limit < 1 or given not in splits:
            raise ValueError(
                f"limit must be a positive number for whole splits, got {limit!r} for "
                f"{given!r}"
            )
        # TFDS refuses slices beyond the end.
        given = f"{given}[:{min(limit, splits[given].num_examples)}]"
    try:
        size = splits[given].num_examples
    except (KeyError, ValueError) as error:
        raise ValueError(
            f"{flag} must be a split of {builder.info.name!r} "
            f"({', '.join(splits)}) or a slice of one, got {given!r}"
        ) from error
    if size == 0:
        raise ValueError(
            f"{flag} {given!r} of {builder.info.name!r} has no examples; choose "
            f"another with --{flag}"
        )
    return given


def _check_apart(splits, train, evaluation):
    """Raise where images that are trained on would be evaluated."""
    first, second = (splits[one].file_instructions for one in (train, evaluation))
    if any(
        one.filename == other.filename
        and one.skip < other.skip + other.take
        and other.skip < one.skip + one.take
        for one in first
        for other in second
    ):
        raise ValueError(
            "eval_split must have no images of train_split, got "
            f"{evaluation!r} and {train!r}"
        )
