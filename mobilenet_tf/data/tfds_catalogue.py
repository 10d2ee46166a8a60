"""Find a TFDS data set and check its splits and features before any work."""

from __future__ import annotations

import dataclasses
import importlib

import numpy as np
import tensorflow_datasets as tfds

from mobilenet_tf.data.rendering import EMBEDDED
from mobilenet_tf.data.tfds_features import Labels, image_feature, label_feature
from mobilenet_tf.data.tfds_selection import Selection

EVALUATION_SPLITS = ("validation", "test", "val", "valid")


@dataclasses.dataclass(frozen=True)
class Source:
    """A prepared TFDS data set of images, its splits and features chosen.

    Attributes:
        builder: The TFDS builder, prepared.
        image_key: Name of the image feature.
        labels: The label feature.
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
        """TFDS name, with the config where there is one."""
        info = self.builder.info
        config = self.builder.builder_config
        return f"{info.name}/{config.name}" if config else info.name

    @property
    def version(self) -> str:
        """TFDS version."""
        return str(self.builder.info.version)

    @property
    def image_shape(self) -> tuple[int | None, int | None, int | None]:
        """Height, width and channels of all images; None where they differ."""
        return self.builder.info.features[self.image_key].shape

    def size(self, split: str) -> int:
        """Number of images in a split."""
        return self.builder.info.splits[split].num_examples


def open_source(
    name: str,
    data_dir: str | None = None,
    selection: Selection | None = None,
    *,
    download: bool = True,
) -> Source:
    """Find, and where needed prepare, a TFDS data set of images.

    Args:
        name: TFDS name, `name`, `name/config` or `name/config:version`.
        data_dir: Directory of prepared data sets; None means TFDS' own.
        selection: Splits and features; None means the defaults.
        download: Prepare the data set where it is not; False raises ValueError then.

    Raises:
        ValueError: There is no such data set, split or feature, a split is empty, or
            the images are of a kind that is not supported.
    """
    selection = selection or Selection()
    builder = _prepared_builder(name, data_dir, download)
    features = builder.info.features
    image_key = image_feature(name, features, selection.image_key)
    labels = label_feature(name, features, selection.label_key, selection.unlabelled)
    if selection.single_label and labels.multi_label:
        raise ValueError(
            f"single_label=True needs one class per image, but label feature "
            f"{labels.key!r} of data set {name!r} is multi-label"
        )
    channels = features[image_key].shape[-1]
    if channels != 3 and not selection.to_rgb:
        raise ValueError(
            f"feature {image_key!r} of data set {name!r} has {channels} channels, but "
            "3 are needed; to_rgb=True repeats a grey channel and drops alpha"
        )
    dtype = features[image_key].np_dtype
    if dtype != np.uint8:
        raise ValueError(
            f"feature {image_key!r} of data set {name!r} must have 8 bits, got {dtype}"
        )
    train = _split(builder, "train_split", selection, ("train",))
    evaluation = _split(builder, "evaluation_split", selection, EVALUATION_SPLITS)
    _check_no_overlap(builder.info.splits, train, evaluation)
    return Source(builder, image_key, labels, train, evaluation, selection.to_rgb)


def _prepared_builder(
    name: str, data_dir: str | None, download: bool
) -> tfds.core.DatasetBuilder:
    if name.partition("/")[0] == EMBEDDED:
        importlib.import_module("mobilenet_tf.data.embedded")  # registers the builder
    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except (tfds.core.DatasetNotFoundError, ValueError, AssertionError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(
            f"name must be a TFDS data set, built-in or prepared in data_dir, got "
            f"{name!r} with data_dir={data_dir!r} ({reason})"
        ) from error
    if builder.info.splits:
        return builder
    if not download:
        raise ValueError(
            f"data set {name!r} is not prepared in {str(builder.data_path)!r}"
        )
    try:
        builder.download_and_prepare()
    except Exception as error:  # TFDS raises many kinds: network, disk, manual steps
        builder = tfds.builder(name, data_dir=data_dir)
        if builder.info.splits:  # another process has prepared it meanwhile
            return builder
        raise ValueError(
            f"data set {name!r} is not prepared in {str(builder.data_path)!r} and "
            f"cannot be prepared now: {error}"
        ) from error
    return builder


def _split(
    builder: tfds.core.DatasetBuilder,
    argument: str,
    selection: Selection,
    candidates: tuple[str, ...],
) -> str:
    """The split that an argument names, or the first of the candidates."""
    splits = builder.info.splits
    split, limit = getattr(selection, argument), selection.limit
    if split is None:
        split = next((name for name in candidates if name in splits), None)
        if split is None:
            raise ValueError(
                f"data set {builder.info.name!r} has no split named "
                f"{' or '.join(candidates)}; choose one with {argument}=, such as "
                "train_split='train[:90%]', evaluation_split='train[90%:]'. Its splits "
                f"are {', '.join(splits)}"
            )
    if limit is not None:
        if limit < 1 or split not in splits:
            raise ValueError(
                f"limit must be a positive number for whole splits, got {limit!r} for "
                f"{split!r}"
            )
        # TFDS refuses slices beyond the end.
        split = f"{split}[:{min(limit, splits[split].num_examples)}]"
    try:
        size = splits[split].num_examples
    except (KeyError, ValueError) as error:
        raise ValueError(
            f"{argument} must be a split of {builder.info.name!r} "
            f"({', '.join(splits)}) or a slice of one, got {split!r}"
        ) from error
    if size == 0:
        raise ValueError(
            f"{argument} {split!r} of {builder.info.name!r} has no examples; choose "
            "another"
        )
    return split


def _check_no_overlap(
    splits: tfds.core.splits.SplitDict, train: str, evaluation: str
) -> None:
    """Raise where images that are trained on would be evaluated."""
    if any(
        read.filename == other.filename
        and read.skip < other.skip + other.take
        and other.skip < read.skip + read.take
        for read in splits[train].file_instructions
        for other in splits[evaluation].file_instructions
    ):
        raise ValueError(
            "evaluation_split must have no images of train_split, got "
            f"{evaluation!r} and {train!r}"
        )
